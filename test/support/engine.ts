import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { until } from './until.ts';

/** A Docker engine of the test's own, which may be ended. It has no network. */
export interface Engine {
  /** For DOCKER_HOST. */
  host: string;
  docker: Docker;
  /** Copies an image from the engine that the other tests use. */
  take(image: string): Promise<void>;
  /** SIGKILL: as if it had crashed. Its containers go on, until it starts again. SIGTERM: it ends its containers first. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  start(): Promise<void>;
  /** Ends it, and removes everything. */
  close(): Promise<void>;
}

const pathWithEngine = `${process.env['PATH']}:/usr/local/sbin:/usr/sbin:/sbin`;

export async function startEngine(): Promise<Engine> {
  const folder = await mkdtemp(join(tmpdir(), 'dctl-engine-'));
  const socket = join(folder, 'docker.sock');
  const pidFiles = [join(folder, 'pid'), join(folder, 'exec', 'containerd', 'containerd.pid')];
  const docker = new Docker({ socketPath: socket });
  let engine: ChildProcess | undefined;
  let said = '';

  const start = async () => {
    // What was killed leaves them behind; a process of that number may be there all the same.
    await Promise.all(pidFiles.map((file) => rm(file, { force: true })));
    const folders = ['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')];
    const noNetwork = ['--bridge=none', '--iptables=false', '--ip-masq=false'];
    const flags = [...folders, ...noNetwork, '--pidfile', pidFiles[0]!, '--host', `unix://${socket}`];
    // In a network of its own: an engine without a bridge removes the one it finds, and that is the other engine's.
    engine = spawn('unshare', ['--net', 'dockerd', ...flags], {
      env: { ...process.env, PATH: pathWithEngine },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    engine.stderr!.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
    const started = engine;
    await until(
      'the engine answers',
      () => {
        if (started.exitCode !== null) throw new Error(`dockerd ended: ${said}`);
        return docker.ping().then(
          () => true,
          () => false,
        );
      },
      (answers) => answers,
    );
  };
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (engine === undefined || engine.exitCode !== null || engine.signalCode !== null) return;
    const ended = once(engine, 'exit');
    engine.kill(signal);
    await ended;
  };

  await start();
  return {
    host: `unix://${socket}`,
    docker,
    async take(image) {
      const saved = await new Docker().getImage(image).get();
      const loading = await docker.loadImage(saved);
      await new Promise<void>((resolve, reject) => {
        docker.modem.followProgress(loading, (error) => (error === null ? resolve() : reject(error)));
      });
    },
    end,
    start,
    async close() {
      const left = await docker.listContainers({ all: true }).catch(() => []);
      for (const { Id: id } of left) await docker.getContainer(id).remove({ force: true, v: true });
      await end('SIGTERM');
      await endContainerd(pidFiles[1]!);
      // One for each time that it was killed.
      while (await unmount(join(folder, 'data'))) continue;
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** False: it is no mount. */
async function unmount(path: string): Promise<boolean> {
  const [code] = await once(spawn('umount', ['--lazy', path], { stdio: 'ignore' }), 'exit');
  return code === 0;
}

async function endContainerd(pidFile: string): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => '0'));
  if (pid > 0) process.kill(pid, 'SIGKILL');
}
