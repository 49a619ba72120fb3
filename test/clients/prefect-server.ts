import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../scripts/setup/port.ts';
import { lastLines, readIfThere } from '../../scripts/setup/processes.ts';
import { until } from '../support/until.ts';
import { clientVariables, ensureClientEnvironment } from './environments.ts';
import { makePrefectHome } from './prefect-home.ts';

/** A whole Prefect, but for what starts flow runs. */
export interface PrefectServer {
  /** For example `http://127.0.0.1:40123/api`. */
  api: string;
  /** Where it keeps what it knows. */
  folder: string;
  call(path: string, body: object): Promise<any>;
  stop(): Promise<void>;
}

export async function startPrefect(): Promise<PrefectServer> {
  const [environment, home, port] = await Promise.all([
    ensureClientEnvironment('dbt-cloud-clients'),
    makePrefectHome(),
    freePort(),
  ]);
  const { folder } = home;
  const file = join(folder, 'server.log');
  const log = openSync(file, 'a');
  const args = ['server', 'start', '--host', '127.0.0.1', '--port', String(port), '--no-ui', '--no-services'];
  const child = spawn(join(environment.bin, 'prefect'), args, {
    env: {
      ...clientVariables(environment, { home: folder }),
      PREFECT_HOME: folder,
      PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
    },
    cwd: folder,
    stdio: ['ignore', log, log],
    // With whatever it starts.
    detached: true,
  });
  closeSync(log);
  const exited = once(child, 'exit');
  const api = `http://127.0.0.1:${port}/api`;
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL');
    await exited;
    await home.remove();
  };
  try {
    const isUp = () =>
      fetch(`${api}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    const early = exited.then(() => {
      throw new Error(`Prefect ended: ${lastLines(readIfThere(file) ?? '', 30)}`);
    });
    await Promise.race([until('Prefect is up', isUp, Boolean, 110_000), early]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    api,
    folder,
    stop,
    async call(path, body) {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(api + path, { method: 'POST', headers, body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
      return response.json();
    },
  };
}
