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

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
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
