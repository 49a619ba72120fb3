import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../scripts/setup/port.ts';
import { ensureClientEnvironment } from '../../test/clients/environments.ts';
import { createDatabase, type Bench } from '../system.ts';
import { ask, awaitAnswer, startProgram } from './programs.ts';
import type { OtherTool, Workplace } from './others.ts';

const version = '3.8.8';
const pollSeconds = 1;

/** A Prefect server on the same Postgres, and a process that serves one flow, which calls dbt. */
export async function startPrefect(bench: Bench, { folder, env }: Workplace): Promise<OtherTool> {
  const { bin } = await ensureClientEnvironment('dbt-cloud-clients');
  const home = join(folder, 'prefect');
  await mkdir(home, { recursive: true });
  const { url: databaseUrl } = await createDatabase(bench);
  const port = String(await freePort());
  const api = `http://127.0.0.1:${port}/api`;
  const environment: NodeJS.ProcessEnv = {
    ...env,
    PATH: `${bin}:${process.env['PATH']}`,
    PREFECT_HOME: home,
    PREFECT_API_URL: api,
    PREFECT_API_DATABASE_CONNECTION_URL: databaseUrl.replace(/^postgres(ql)?:/, 'postgresql+asyncpg:'),
    // Ten unless it is set: a run would wait five seconds for nothing.
    PREFECT_RUNNER_POLL_FREQUENCY: String(pollSeconds),
    PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
    DO_NOT_TRACK: '1',
  };
  const place = { env: environment, cwd: home };
  const server = ['server', 'start', '--host', '127.0.0.1', '--port', port];
  startProgram(bench, 'prefect-server', [join(bin, 'prefect'), ...server], place);
  const waiting = { timeoutMs: 300_000, everyMs: 500 };
  await awaitAnswer('the Prefect server is up', `${api}/health`, () => true, waiting);
  const flow = join(import.meta.dirname, 'prefect_flow.py');
  startProgram(bench, 'prefect-flow', [join(bin, 'python'), flow], place);
  const { id } = await awaitAnswer<{ id: string }>(
    'Prefect serves the flow',
    `${api}/deployments/name/bench/bench`,
    () => true,
    waiting,
  );

  return {
    name: `Prefect ${version}, served flow, asked every ${pollSeconds} s`,
    async run() {
      const startedAt = Date.now();
      const made = await ask<{ id: string }>(`${api}/deployments/${id}/create_flow_run`, { body: {} });
      const run = await awaitAnswer<{ state_type: string; end_time: string }>(
        'Prefect has run the flow',
        `${api}/flow_runs/${made.id}`,
        ({ state_type: type }) => ['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'].includes(type),
        { timeoutMs: 300_000, everyMs: 200 },
      );
      if (run.state_type !== 'COMPLETED')
        throw new Error(`Prefect's run ended as ${run.state_type}: see ${bench.logFolder}`);
      return Date.parse(run.end_time) - startedAt;
    },
  };
}
