/**
 * What the worker needs of the place where containers run. Docker satisfies it, and a Kubernetes pod can: nothing
 * here assumes a shared disk or a path of the host. Every call is made by `process-run.ts` or `sweep.ts`.
 *
 * A container's name is the run's launch lock: there is never a second container of the same name.
 */
export interface Executor {
  /** Once, when the worker starts; may be repeated. Makes what containers of any run need, such as their network. */
  prepare(): Promise<void>;

  /**
   * Once a launch. Makes the container and puts `files` into it, without starting it. Throws `CouldNotStart`.
   * `files`: a tar of what comes below the spec's work folder.
   */
  create(spec: ContainerSpec, files: AsyncIterable<Uint8Array>): Promise<{ containerId: string }>;

  /**
   * Once after `create`. Starts the container and hands it `message` (one line) on stdin. Throws `CouldNotStart`.
   * `letGo` ends the output with an error, and leaves the container as it is.
   */
  start(name: string, message: string, letGo: AbortSignal): Promise<Output>;

  /** Any number of times, by a worker that finds a container of a dead one. All of its output from the beginning. */
  follow(name: string, letGo: AbortSignal): Promise<Output>;

  /** Any number of times. A container that is not running any more is left alone. */
  signal(name: string, signal: 'SIGINT' | 'SIGKILL'): Promise<void>;

  /** After its output ended; any number of times. Waits until the container is really over. Null: there is none. */
  wait(name: string): Promise<ContainerEnd | null>;

  /** After `wait`; any number of times. A tar of a folder or file in the container; null when it isn't there. */
  collect(name: string, path: string): Promise<AsyncIterable<Uint8Array> | null>;

  /** Last, and any number of times. Ends and removes the container with its own volume. */
  remove(name: string): Promise<void>;

  /** At a take-over. Null: there is no such container. */
  find(name: string): Promise<'created' | 'running' | 'ended' | null>;

  /** At every sweep. All containers of runs that there are, of other installations' runs too. */
  list(): Promise<{ name: string; runId: string }[]>;
}

/** The label of every run's container: the run's id. */
export const runLabel = 'dctl.run_id';

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
  pids: number;
  temporaryMb: number;
  /** `none`, or the name of a network made for runs. */
  network: string;
}

/** What the container writes, in the order it came. Whoever reads slowly slows the container down. */
export type Output = AsyncIterable<{ stream: 'log' | 'protocol'; content: Buffer }>;

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
