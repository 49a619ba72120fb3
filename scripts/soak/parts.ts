import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { ensurePostgres } from '../setup/postgres.ts';
import { readIfThere, startService, type Service } from '../setup/processes.ts';
import { startRedisServer } from '../setup/redis-server.ts';

/** Something that a soak breaks again and again. */
export interface Part {
  name: string;
  /** How many seconds pass between two faults, at least and at most. */
  every: [number, number];
  /** What may happen to it, for as long as is said where that means something. Each leaves it as it was. */
  faults: { what: string; happen(seconds: number): Promise<void> }[];
  close(): Promise<void>;
}

/** How long something stays away, or asleep, in seconds. */
export const awaySeconds: [number, number] = [0.2, 5];

/** After which a service that ended is started again. */
const restartMs = 500;

/**
 * One of our own processes, started again whenever it has ended, as whatever keeps services running does. One that had
 * begun its work and ended by itself is put down in `fallen`; while Postgres is away it need not begin.
 */
export function processPart(
  name: string,
  options: { script: string; env: NodeJS.ProcessEnv; cwd: string; logFile: string },
  { every, fallen }: Pick<Part, 'every'> & { fallen: string[] },
): Part {
  let current: Service;
  let writtenBefore = 0;
  const toldToEnd = new Set<Service>();
  const hasBegun = () =>
    /"msg":"(serving|working)"/.test(readIfThere(options.logFile)?.slice(writtenBefore) ?? '');
  const start = () => {
    writtenBefore = readIfThere(options.logFile)?.length ?? 0;
    const service = startService(name, options);
    current = service;
    // One that sleeps would not notice that its parent is gone.
    process.once('exit', service.kill);
    void service.ended.then(async (how) => {
      process.off('exit', service.kill);
      if (toldToEnd.has(service)) return;
      if (hasBegun()) fallen.push(`${name} ${how} by itself`);
      await delay(restartMs);
      if (current === service && !toldToEnd.has(service)) start();
    });
  };
  const signal = (to: NodeJS.Signals, service = current) => {
    try {
      process.kill(service.pid!, to);
    } catch {
      // It has just ended, and is started again.
    }
  };
  start();
  return {
    name,
    every,
    faults: [
      {
        what: 'is killed',
        async happen(seconds) {
          toldToEnd.add(current);
          current.kill();
          await current.ended;
          await delay(seconds * 1_000);
          start();
        },
      },
      {
        what: 'is told to end, as for a new version',
        async happen() {
          toldToEnd.add(current);
          signal('SIGTERM');
          const how = await Promise.race([current.ended, delay(12_000, 'did not end in 12 s')]);
          // Before it has begun its work it simply ends.
          const isWell = how === 'ended with exit code 0' || (how === 'was ended by SIGTERM' && !hasBegun());
          if (!isWell) fallen.push(`${name} was told to end and ${how}`);
          current.kill();
          start();
        },
      },
      {
        what: 'sleeps',
        async happen(seconds) {
          const asleep = current;
          signal('SIGSTOP');
          await delay(seconds * 1_000);
          signal('SIGCONT', asleep);
        },
      },
    ],
    async close() {
      toldToEnd.add(current);
      await current.stop();
    },
  };
}

export async function redisPart(folder: string): Promise<Part & { url: string }> {
  rmSync(join(folder, 'appendonlydir'), { recursive: true, force: true });
  const server = await startRedisServer({ dir: folder, appendonly: 'yes' });
  return {
    name: 'Redis',
    url: server.url,
    every: [4, 12],
    faults: [
      {
        what: 'is killed',
        async happen(seconds) {
          await server.kill();
          await delay(seconds * 1_000);
          await server.start();
        },
      },
      {
        what: 'sleeps',
        async happen(seconds) {
          server.signal('SIGSTOP');
          await delay(seconds * 1_000);
          server.signal('SIGCONT');
        },
      },
      {
        what: 'loses everything',
        async happen() {
          const client = new Redis(server.url);
          await client.flushall().finally(() => client.disconnect());
        },
      },
    ],
    close: server.kill,
  };
}

export async function postgresPart(directory: string): Promise<Part & { url: string }> {
  const given = process.env['DATABASE_URL'];
  // A server of the soak's own: nobody else's is killed.
  delete process.env['DATABASE_URL'];
  const start = () => ensurePostgres({ directory, log: () => undefined });
  let server = await start();
  const { url } = server;
  if (given !== undefined) process.env['DATABASE_URL'] = given;
  const startAgain = async () => {
    server = await start();
    if (server.url !== url) throw new Error('Postgres came back at another address');
  };
  return {
    name: 'Postgres',
    url,
    every: [8, 20],
    faults: [
      {
        what: 'is killed',
        async happen(seconds) {
          const pid = Number(readIfThere(join(directory, 'data', 'postmaster.pid'))?.split('\n')[0]);
          process.kill(pid, 'SIGKILL');
          await delay(Math.min(seconds, 2) * 1_000);
          await startAgain();
        },
      },
      {
        what: 'is restarted',
        async happen() {
          await server.stop();
          await startAgain();
        },
      },
    ],
    close: () => server.stop(),
  };
}
