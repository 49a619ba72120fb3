import { addAbortSignal, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { createOptions, networkLabel, networkOptions } from './docker-options.ts';
import { demultiplex } from './docker-stream.ts';
import { CouldNotStart, runLabel, type ContainerEnd, type ContainerSpec, type Executor } from './executor.ts';

/** How long the engine gets to say that a container whose output has ended is over. */
const endLookMs = 15_000;

/** Runs containers with the Docker engine that DOCKER_HOST names, or the local one. */
export function dockerExecutor(options: { network: string; runtime: string | undefined }): Executor {
  const docker = new Docker();
  const prepare = async () => {
    if (options.network === 'none') return;
    const found = await unlessStatus([404], docker.getNetwork(options.network).inspect());
    // 409: another worker has made it in the meantime.
    if (found === null) await unlessStatus([409], docker.createNetwork(networkOptions(options.network)));
  };

  return {
    prepare,

    async create(spec, files) {
      try {
        if (spec.network === options.network) await prepare();
        else await requireRunNetwork(docker, spec.network);
        const container = await docker.createContainer(createOptions(spec, options));
        await putFiles(container, spec.workFolder, files);
        return { containerId: container.id };
      } catch (error) {
        throw asCouldNotStart(error, spec);
      }
    },

    async start(name, message, letGo) {
      const container = docker.getContainer(name);
      try {
        const stream = await container.attach({
          stream: true,
          hijack: true,
          stdin: true,
          stdout: true,
          stderr: true,
        });
        await container.start();
        stream.write(`${message}\n`);
        return demultiplex(until(letGo, stream));
      } catch (error) {
        throw asCouldNotStart(error, undefined);
      }
    },

    async follow(name, letGo) {
      const stream = await docker.getContainer(name).logs({ follow: true, stdout: true, stderr: true });
      return demultiplex(until(letGo, stream));
    },

    async signal(name, signal) {
      // 404: it is gone; 409: it is not running.
      await unlessStatus([404, 409], docker.getContainer(name).kill({ signal }));
    },

    async wait(name): Promise<ContainerEnd | null> {
      const container = docker.getContainer(name);
      for (const startedAt = performance.now(); ; await delay(10)) {
        const found = await unlessStatus([404], container.inspect());
        if (found === null) return null;
        const { Status: status, Running: running, ExitCode: exitCode, OOMKilled: outOfMemory } = found.State;
        // One that is being removed was ended for it: its exit code would say nothing of dbt.
        if (!running && status !== 'removing') return { exitCode, outOfMemory };
        if (performance.now() - startedAt > endLookMs) {
          throw new Error(`the container is still ${status} although its output has ended`);
        }
      }
    },

    async collect(name, path) {
      const archive = await unlessStatus([404], docker.getContainer(name).getArchive({ path }));
      return archive as unknown as AsyncIterable<Uint8Array> | null;
    },

    async remove(name) {
      // 409: its removal is under way.
      await unlessStatus([404, 409], docker.getContainer(name).remove({ force: true, v: true }));
    },

    async find(name) {
      const found = await unlessStatus([404], docker.getContainer(name).inspect());
      if (found === null) return null;
      if (found.State.Running) return 'running';
      return found.State.Status === 'created' ? 'created' : 'ended';
    },

    async list() {
      const found = await docker.listContainers({ all: true, filters: { label: [runLabel] } });
      return found.map(({ Names: names, Labels: labels }) => ({
        name: (names[0] ?? '').replace(/^\//, ''),
        runId: labels[runLabel] ?? '',
      }));
    },
  };
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
  const { code, syscall = '' } = error as NodeJS.ErrnoException;
  const message = error instanceof Error ? error.message : '';
  if (['connect', 'getaddrinfo'].includes(syscall) || code === 'ECONNRESET' || code === 'EPIPE') {
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
