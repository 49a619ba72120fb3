import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { addAbortSignal, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { createOptions, networkLabel, networkOptions, usualCpuShares } from './docker-options.ts';
import { demultiplex } from './docker-stream.ts';
import {
  CouldNotStart,
  EngineAway,
  environmentLabel,
  installationLabel,
  preparationLabel,
  runLabel,
  warmLabel,
  type ContainerSpec,
  type Executor,
  type FoundContainer,
  type Session,
} from './executor.ts';

/** How long the engine gets to say that a container whose output has ended is over. */
const endLookMs = 3_000;
/** An engine that takes longer for an answer is taken for one that is away. */
const answerMs = 10_000;
/** An engine that hangs holds up neither a sweep nor a run that has ended. */
const removeMs = 30_000;
const listMs = 10_000;

/** Runs containers with the Docker engine that DOCKER_HOST names, or the local one. */
export function dockerExecutor(options: { network: string; runtime: string | undefined }): Executor {
  const docker = connect();
  const prepare = async () => {
    if (options.network === 'none') return;
    const found = await unlessStatus([404], docker.getNetwork(options.network).inspect());
    // 409: another worker has made it in the meantime.
    if (found === null) await unlessStatus([409], docker.createNetwork(networkOptions(options.network)));
  };

  let knownId: string | null = null;

  return {
    prepare,

    async engineId() {
      // Two engines of one machine may share the id, but never the folder.
      knownId ??= await answered(docker.info()).then(
        ({ ID: id, DockerRootDir: folder }: { ID: string; DockerRootDir: string }) => `${id} ${folder}`,
        () => null,
      );
      return knownId;
    },

    async imageId(image) {
      return answered(docker.getImage(image).inspect()).then(
        ({ Id: id }) => id,
        () => null,
      );
    },

    async create(spec, files) {
      try {
        if (spec.network === options.network) await prepare();
        else await requireRunNetwork(docker, spec.network);
        const container = await docker.createContainer(createOptions(spec, options));
        await putFiles(container, spec.workFolder, files);
        return { containerId: container.id };
      } catch (error) {
        // It may be another one that comes in its place.
        if (isAway(error)) knownId = null;
        throw asCouldNotStart(error, spec);
      }
    },

    async open(containerId) {
      return openSession(docker.getContainer(containerId));
    },

    async start(containerId, message, letGo) {
      const session = await openSession(docker.getContainer(containerId));
      // On its way before anybody can let go of it: without it the container ends, having done nothing.
      await session.send(message);
      session.endWith(letGo);
      return session.output;
    },

    async yieldNoMore(containerId) {
      // 404: it is gone; 409: it has ended.
      const asked = docker.getContainer(containerId).update({ CpuShares: usualCpuShares });
      await unlessStatus([404, 409], answered(asked));
    },

    async rename(containerId, name) {
      // 404: it is gone; 409: the name is taken.
      await unlessStatus([404, 409], answered(docker.getContainer(containerId).rename({ name })));
    },

    async follow(containerId, letGo) {
      const all = { follow: true as const, stdout: true, stderr: true };
      return demultiplex(until(letGo, await answered(docker.getContainer(containerId).logs(all))));
    },

    async written(containerId, letGo) {
      return demultiplex(until(letGo, await answered(writtenBy(docker, containerId))));
    },

    async signal(containerId, signal) {
      // 404: it is gone; 409: it is not running.
      const asked = docker.getContainer(containerId).kill({ signal });
      return (await unlessStatus([404, 409], answered(asked))) !== null;
    },

    async wait(containerId) {
      const container = docker.getContainer(containerId);
      for (const startedAt = performance.now(); ; await delay(10)) {
        const found = await unlessStatus([404], answered(container.inspect()));
        if (found === null) return null;
        const { Status: status, Running: running, ExitCode: exitCode, OOMKilled: outOfMemory } = found.State;
        // One that is being removed was ended for it: its exit code would say nothing of dbt.
        if (!running && status !== 'removing') return { exitCode, outOfMemory };
        if (performance.now() - startedAt > endLookMs) return 'running';
      }
    },

    async msSinceEnd(containerId) {
      const found = await unlessStatus([404], answered(docker.getContainer(containerId).inspect()));
      const { SystemTime: now } = (await answered(docker.info())) as { SystemTime: string };
      const ms = Date.parse(now) - Date.parse(found?.State.FinishedAt ?? now);
      return Number.isFinite(ms) ? Math.max(0, ms) : 0;
    },

    async collect(name, path) {
      const archive = await unlessStatus([404], answered(docker.getContainer(name).getArchive({ path })));
      return archive as unknown as AsyncIterable<Uint8Array> | null;
    },

    async remove(name) {
      // 409: its removal is under way.
      const abortSignal = AbortSignal.timeout(removeMs);
      const removed = docker.getContainer(name).remove({ force: true, v: true, abortSignal });
      await unlessStatus([404, 409], answered(removed, removeMs));
    },

    async removeIdle(containerId) {
      const container = docker.getContainer(containerId);
      const removed = await unlessStatus([404, 409], answered(container.remove({ v: true })));
      if (removed !== null) return true;
      const found = await unlessStatus([404], answered(container.inspect()));
      return found?.State.Running !== true;
    },

    async find(container) {
      const found = await unlessStatus([404], answered(docker.getContainer(container).inspect()));
      if (found === null) return null;
      const { Running: running, Status: status } = found.State;
      return { containerId: found.Id, state: stateOf({ status, running }), labels: found.Config.Labels };
    },

    async list() {
      const found = await docker.listContainers({
        all: true,
        filters: { label: [runLabel] },
        abortSignal: AbortSignal.timeout(listMs),
      });
      return found.map(({ Names: names, Labels: labels }) => ({
        name: (names[0] ?? '').replace(/^\//, ''),
        runId: labels[runLabel] ?? '',
        installationId: labels[installationLabel] ?? null,
      }));
    },

    async listWarm() {
      const found = await docker.listContainers({
        all: true,
        filters: { label: [warmLabel] },
        abortSignal: AbortSignal.timeout(listMs),
      });
      return found.map(({ Id: containerId, State: state, Created: created, Labels: labels }) => ({
        containerId,
        state: stateOf({ status: state, running: ['running', 'paused', 'restarting'].includes(state) }),
        createdAt: new Date(created * 1_000),
        installationId: labels[installationLabel] ?? null,
      }));
    },

    async listPreparing() {
      const found = await docker.listContainers({
        all: true,
        filters: { label: [preparationLabel] },
        abortSignal: AbortSignal.timeout(listMs),
      });
      return found.map(({ Names: names, Labels: labels }) => ({
        name: (names[0] ?? '').replace(/^\//, ''),
        preparationId: labels[preparationLabel] ?? '',
        installationId: labels[installationLabel] ?? null,
      }));
    },

    async memoryOf(containerId) {
      const asked = docker.getContainer(containerId).stats({ stream: false, 'one-shot': true });
      const found = await unlessStatus([404, 409], answered(asked));
      const { usage, stats } = found?.memory_stats ?? {};
      if (usage === undefined) return null;
      // What the kernel can take back at once; by its name of cgroup v1 or v2.
      const cached: unknown = stats?.total_inactive_file ?? stats?.inactive_file ?? 0;
      return usage - Number(cached);
    },

    async listVolumes() {
      const ofLabel = (label: string) =>
        docker.listVolumes({
          filters: { label: [label], dangling: ['true'] },
          abortSignal: AbortSignal.timeout(listMs),
        });
      const found = await Promise.all([runLabel, warmLabel, preparationLabel, environmentLabel].map(ofLabel));
      return found
        .flatMap(({ Volumes: volumes }) => volumes)
        .map(({ Name: name, Labels: labels }) => ({
          name,
          runId: labels[runLabel] ?? null,
          isWarm: labels[warmLabel] !== undefined,
          preparationId: labels[preparationLabel] ?? null,
          environmentId: labels[environmentLabel] ?? null,
          installationId: labels[installationLabel] ?? null,
        }));
    },

    async removeVolume(name) {
      const removed = docker.getVolume(name).remove({ abortSignal: AbortSignal.timeout(removeMs) });
      return (
        (await unlessStatus(
          [404, 409],
          removed.then(() => true),
        )) ?? false
      );
    },
  };
}

/** Attached before it is started, so nothing of its output is missed. */
async function openSession(container: Docker.Container): Promise<Session> {
  const attached = { stream: true, hijack: true, stdin: true, stdout: true, stderr: true };
  try {
    const stream = await container.attach(attached);
    // Whoever reads is told; while nobody does, it must not end the process.
    stream.on('error', () => undefined);
    await container.start();
    return {
      send: (line) => new Promise((resolve) => stream.write(`${line}\n`, () => resolve())),
      output: demultiplex(stream as unknown as AsyncIterable<Buffer>),
      endWith: (letGo) => void until(letGo, stream),
      end: () => void (stream as unknown as Readable).destroy(),
    };
  } catch (error) {
    if (isAway(error)) throw new EngineAway({ cause: error });
    throw asCouldNotStart(error, undefined);
  }
}

function stateOf({ status, running }: { status: string; running: boolean }): FoundContainer['state'] {
  if (running) return 'running';
  return status === 'created' ? 'created' : 'ended';
}

/**
 * With a connection for each call. An engine that is told to stop takes no new ones, but answers on old ones for as long
 * as it takes to end its containers: it would look as if somebody had ended them.
 */
function connect(): Docker {
  const docker = new Docker();
  const { protocol } = docker.modem as { protocol?: string };
  const options = { keepAlive: false };
  const agent = protocol === 'https' ? new HttpsAgent(options) : new HttpAgent(options);
  Object.assign(docker.modem, { agent });
  return docker;
}

/** Any network would let a run talk to what is on it: only one that somebody made for runs is joined. */
async function requireRunNetwork(docker: Docker, name: string): Promise<void> {
  if (name === 'none') return;
  const found = await unlessStatus([404], docker.getNetwork(name).inspect());
  if (found?.Name === name && found.Labels?.[networkLabel] !== undefined) return;
  const how = `docker network create --label ${networkLabel}=runs ${name}`;
  throw new CouldNotStart(
    'could_not_start',
    `There is no network for runs named ${name}: make it with "${how}".`,
  );
}

/** A source that fails ends the request: the client library alone would wait for ever. */
async function putFiles(
  container: Docker.Container,
  path: string,
  files: AsyncIterable<Uint8Array>,
): Promise<void> {
  const source = Readable.from(files, { objectMode: false });
  const failed = new AbortController();
  source.once('error', (error) => failed.abort(error));
  await container.putArchive(source, { path, abortSignal: failed.signal }).catch((error: unknown) => {
    throw failed.signal.aborted ? failed.signal.reason : error;
  });
}

function until(letGo: AbortSignal, stream: NodeJS.ReadableStream): AsyncIterable<Buffer> {
  return addAbortSignal(letGo, stream as Readable);
}

/** Without `follow` the client library would gather all of it in memory. */
function writtenBy(docker: Docker, containerId: string): Promise<NodeJS.ReadableStream> {
  const path = `/containers/${containerId}/logs?stdout=true&stderr=true`;
  const statusCodes = { 200: true, 404: 'no such container', 500: 'server error' };
  return new Promise((resolve, reject) => {
    docker.modem.dial({ path, method: 'GET', isStream: true, statusCodes }, (error, answer) => {
      if (error) reject(error instanceof Error ? error : new Error(String(error)));
      else resolve(answer as NodeJS.ReadableStream);
    });
  });
}

/** What the engine answers. Throws `EngineAway` when it does not. */
async function answered<Answer>(asked: Promise<Answer>, withinMs = answerMs): Promise<Answer> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const silent = new EngineAway({ cause: new Error('no answer in time') });
  const timer = setTimeout(() => reject(silent), withinMs);
  try {
    return await Promise.race([asked, late]);
  } catch (error) {
    throw isAway(error) && !(error instanceof EngineAway) ? new EngineAway({ cause: error }) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Whether it was the connection that failed, not what was asked for. */
function isAway(error: unknown): boolean {
  if (error instanceof EngineAway) return true;
  const { code = '', syscall = '' } = error as NodeJS.ErrnoException;
  const codes = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ABORT_ERR', 'ERR_STREAM_PREMATURE_CLOSE'];
  return ['connect', 'getaddrinfo'].includes(syscall) || codes.includes(code);
}

async function unlessStatus<Answer>(statuses: number[], asked: Promise<Answer>): Promise<Answer | null> {
  try {
    return await asked;
  } catch (error) {
    if (statuses.includes(statusOf(error))) return null;
    throw error;
  }
}

function statusOf(error: unknown): number {
  const { statusCode } = error as { statusCode?: unknown };
  return typeof statusCode === 'number' ? statusCode : 0;
}

function asCouldNotStart(error: unknown, spec: ContainerSpec | undefined): CouldNotStart {
  if (error instanceof CouldNotStart) return error;
  const message = error instanceof Error ? error.message : '';
  if (isAway(error)) {
    const { code = 'silent' } = (error instanceof EngineAway ? error.cause : error) as NodeJS.ErrnoException;
    return new CouldNotStart('runtime_unavailable', `The Docker engine does not answer (${code}).`, {
      cause: error,
    });
  }
  if (spec !== undefined && statusOf(error) === 404 && /no such image/i.test(message)) {
    const { image, imageSource = "pull or build it there, or correct the environment's runner_image" } = spec;
    return new CouldNotStart(
      'image_not_found',
      `The image ${image} is not on the worker's machine: ${imageSource}.`,
      { cause: error },
    );
  }
  const said = (error as { json?: { message?: string } }).json?.message ?? 'for an unknown reason';
  return new CouldNotStart('could_not_start', `The container could not be started: ${said}`, {
    cause: error,
  });
}
