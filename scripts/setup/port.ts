import { createServer } from 'node:net';
import { runCommand, until } from './processes.ts';

const usualPort = 3000;

/**
 * The port for the API: the one that was asked for or an error, else the usual one or the next that is free.
 * `patienceMs` is how long a port may still be held by an earlier start that is on its way out.
 */
export async function choosePort(
  given: string | undefined,
  { host, patienceMs }: { host: string; patienceMs: number },
): Promise<{ port: number; note: string }> {
  const wanted = given ? Number(given) : usualPort;
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > 65_535) {
    throw new Error(`DCTL_PORT is "${given}": set it to a number from 1 to 65535.`);
  }
  if (await until(patienceMs, async () => (await isFree(wanted, host)) || undefined))
    return { port: wanted, note: '' };

  const holder = await nameHolder(wanted);
  if (given)
    throw new Error(
      `Port ${wanted} is in use${holder}: stop what holds it, or set DCTL_PORT to another port.`,
    );
  for (let port = wanted + 1; port < wanted + 100; port++) {
    if (await isFree(port, host)) return { port, note: `port ${wanted} is in use${holder}` };
  }
  throw new Error(`No port from ${wanted} to ${wanted + 99} is free: set DCTL_PORT to one that is.`);
}

export async function freePort(): Promise<number> {
  const port = await listenOnce(0, '127.0.0.1');
  if (port === undefined)
    throw new Error('No port on 127.0.0.1 is free: stop what holds them all, then start again.');
  return port;
}

export async function isFree(port: number, host: string): Promise<boolean> {
  return (await listenOnce(port, host)) !== undefined;
}

/** The port that could be listened on, which is free again when this returns. */
function listenOnce(port: number, host: string): Promise<number | undefined> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(undefined));
    server.listen(port, host, () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' ? address?.port : undefined));
    });
  });
}

async function nameHolder(port: number): Promise<string> {
  const found = await runCommand('ss', ['-Hltnp', `sport = :${port}`], { timeoutMs: 2_000 }).catch(() => '');
  const [, name, pid] = /\(\("([^"]+)",pid=(\d+)/.exec(found) ?? [];
  if (name) return ` by ${name} (process ${pid})`;
  const pids = await runCommand('lsof', ['-ti', `tcp:${port}`, '-sTCP:LISTEN'], { timeoutMs: 2_000 }).catch(
    () => '',
  );
  return pids.trim() ? ` by process ${pids.trim().split('\n')[0]}` : '';
}
