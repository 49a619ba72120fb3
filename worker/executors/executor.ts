/**
 * What the worker needs of the place where containers run. Docker satisfies it, and a Kubernetes pod can: nothing
 * here assumes a shared disk or a path of the host.
 *
 * A container's name is the run's launch lock: there is never a second container of the same name. What a worker does
 * with its own container it does by its id: one that is late must not meet the container of a later launch.
 *
 * Every call but `create` throws `EngineAway` while the engine does not answer, and waits some seconds for it at most.
 */
export interface Executor {
  /** Once, when the worker starts; may be repeated. Makes what containers of any run need, such as their network. */
  prepare(): Promise<void>;

  /**
   * Any number of times. What names the engine among all, for ever: two workers that share it are told the same.
   * Null: it does not answer.
   */
  engineId(): Promise<string | null>;

  /**
   * Any number of times. What names the image's content, for ever. Null: it is not there, or the engine does not
   * answer.
   */
  imageId(image: string): Promise<string | null>;

  /**
   * Once a launch. Makes the container and puts `files` into it, without starting it. Throws `CouldNotStart`.
   * `files`: a tar of what comes below the spec's work folder.
   */
  create(spec: ContainerSpec, files: AsyncIterable<Uint8Array>): Promise<{ containerId: string }>;

  /**
   * Once after `create`. Starts the container, which waits for what it is told on stdin. Throws `CouldNotStart`. When
   * whoever opened it ends, so does its stdin: a container that waits never outlives its worker.
   */
  open(containerId: string): Promise<Session>;

  /** The same, and hands the container `message` (one line) at once. `letGo`: as that of the session. */
  start(containerId: string, message: string, letGo: AbortSignal): Promise<Output>;

  /** Any number of times, of a container that yields: from now on it does not. */
  yieldNoMore(containerId: string): Promise<void>;

  /** Best effort, for people who look at the engine: whatever a worker does goes by the id. */
  rename(containerId: string, name: string): Promise<void>;

  /**
   * Any number of times, of a container that was started. All of its output from the beginning, as far as the engine
   * has kept it; unlike that of `start` it holds text only as whole lines, or when 16 KiB of a line are there, and
   * U+FFFD in place of what is not UTF-8.
   */
  follow(containerId: string, letGo: AbortSignal): Promise<Output>;

  /** The same as far as it has come by now: it ends although the container goes on. */
  written(containerId: string, letGo: AbortSignal): Promise<Output>;

  /** Any number of times. False: the container is not running, and was left alone. */
  signal(containerId: string, signal: 'SIGINT' | 'SIGKILL'): Promise<boolean>;

  /**
   * After its output ended; any number of times. Waits some seconds until the container is really over. Null: there is
   * none.
   */
  wait(containerId: string): Promise<ContainerEnd | 'running' | null>;

  /** After `wait`. How long ago the container ended, by the engine's own clock. */
  msSinceEnd(containerId: string): Promise<number>;

  /** After `wait`; any number of times. A tar of a folder or file in the container; null when it isn't there. */
  collect(name: string, path: string): Promise<AsyncIterable<Uint8Array> | null>;

  /** Last, and any number of times. Ends and removes the container with its own volume. */
  remove(name: string): Promise<void>;

  /** Any number of times. Removes it unless it is running. False: it is. */
  removeIdle(containerId: string): Promise<boolean>;

  /** At a take-over, and now and then while a run executes; by name or id. Null: there is no such container. */
  find(container: string): Promise<FoundContainer | null>;

  /** At every sweep. All containers of runs that there are, of other installations' runs too. */
  list(): Promise<{ name: string; runId: string; installationId: string | null }[]>;

  /** At every sweep. All containers that were made ahead, of other installations too; also those that a run has by now. */
  listWarm(): Promise<WarmContainerListed[]>;

  /** At every sweep. All containers that prepare a deployment, of other installations too. */
  listPreparing(): Promise<{ name: string; preparationId: string; installationId: string | null }[]>;

  /** Now and then. What a running container takes of the host's memory, in bytes; null when that is not known. */
  memoryOf(containerId: string): Promise<number | null>;

  /** Now and then. Data volumes, and those of work folders, that no container uses; of other installations too. */
  listVolumes(): Promise<UnusedVolume[]>;

  /** Any number of times. False when a container uses it by now, or it is gone. */
  removeVolume(name: string): Promise<boolean>;
}

/** A container that was started, and its stdin and output. */
export interface Session {
  /** Hands it one line. Whether that has arrived is seen by what it does. */
  send(line: string): Promise<void>;
  /**
   * To be read once. It may end, with an error or without one, because the engine went away: `wait` tells.
   */
  output: Output;
  /** Ends stdin, and the output with an error, when the signal aborts; leaves the container as it is. */
  endWith(letGo: AbortSignal): void;
  /** Does that at once. */
  end(): void;
}

/** The label of the container of a run that was made for it, and of the volume of its work folder: the run's id. */
export const runLabel = 'dctl.run_id';
/** Of a container that was made ahead, for whichever run comes, and of the volume of its work folder. */
export const warmLabel = 'dctl.warm';
/** Of one that prepares a deployment, and of the volume of its work folder: the preparation's id. */
export const preparationLabel = 'dctl.preparation_id';
/** Of every data volume: its environment's id. */
export const environmentLabel = 'dctl.environment_id';
/** Of all of them: whose it is, where several installations share an engine. */
export const installationLabel = 'dctl.installation_id';

/** Null: it has no such label. */
export interface UnusedVolume {
  name: string;
  runId: string | null;
  /** Of the work folder of a container that was made ahead. */
  isWarm: boolean;
  preparationId: string | null;
  environmentId: string | null;
  installationId: string | null;
}

/** Everything about a run's container, computed before anything is asked of an engine. Holds no secret. */
export interface ContainerSpec {
  name: string;
  labels: Record<string, string>;
  image: string;
  /** How to have the image where it is missing, as the rest of a sentence. */
  imageSource?: string;
  command: string[];
  environment: Record<string, string>;
  user: { uid: number; gid: number };
  /** A folder of the container's own, empty at first and gone with it. */
  workFolder: string;
  /** A named volume that outlives the container, at `/data`. Null: there is none. */
  dataVolume: { name: string; labels: Record<string, string> } | null;
  memoryMb: number;
  cpus: number;
  /** Where processors are short, those of the others come first. */
  yields?: boolean;
  pids: number;
  temporaryMb: number;
  /** `none`, or the name of a network made for runs. */
  network: string;
}

/** What the container writes, in the order it came. Whoever reads slowly slows the container down. */
export type Output = AsyncIterable<{ stream: 'log' | 'protocol'; content: Buffer }>;

export interface WarmContainerListed {
  containerId: string;
  state: 'created' | 'running' | 'ended';
  createdAt: Date;
  installationId: string | null;
}

export interface FoundContainer {
  containerId: string;
  state: 'created' | 'running' | 'ended';
  labels: Record<string, string>;
}

export interface ContainerEnd {
  exitCode: number;
  outOfMemory: boolean;
}

export type StartProblem = 'image_not_found' | 'runtime_unavailable' | 'could_not_start';

/** A container that can't be made or started. The message is for users, and names no secret. */
export class CouldNotStart extends Error {
  readonly reason: StartProblem;

  constructor(reason: StartProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CouldNotStart';
    this.reason = reason;
  }
}

/** The engine cannot be reached, or is silent: what was asked of it may have been done or not. */
export class EngineAway extends Error {
  constructor(options: ErrorOptions) {
    super('The container engine does not answer.', options);
    this.name = 'EngineAway';
  }
}
