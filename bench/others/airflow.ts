import { randomBytes } from 'node:crypto';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../scripts/setup/port.ts';
import { runCommand } from '../../scripts/setup/processes.ts';
import { ensureClientEnvironment } from '../../test/clients/environments.ts';
import { createDatabase, type Bench } from '../system.ts';
import { ask, awaitAnswer, startProgram } from './programs.ts';
import type { OtherTool, Workplace } from './others.ts';

const version = '3.3.2';

/** Airflow with its LocalExecutor on the same Postgres, all else as it comes; one task, a BashOperator. */
export async function startAirflow(bench: Bench, { folder, env }: Workplace): Promise<OtherTool> {
  const { bin } = await ensureClientEnvironment('airflow3');
  const home = join(folder, 'airflow');
  const dags = join(home, 'dags');
  await mkdir(dags, { recursive: true });
  await copyFile(join(import.meta.dirname, 'airflow_dag.py'), join(dags, 'bench.py'));
  const { url: databaseUrl } = await createDatabase(bench);
  const port = String(await freePort());
  const environment: NodeJS.ProcessEnv = {
    ...env,
    PATH: `${bin}:${process.env['PATH']}`,
    AIRFLOW_HOME: home,
    AIRFLOW__CORE__DAGS_FOLDER: dags,
    AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
    AIRFLOW__CORE__EXECUTOR: 'LocalExecutor',
    AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION: 'False',
    AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS: 'True',
    AIRFLOW__CORE__EXECUTION_API_SERVER_URL: `http://127.0.0.1:${port}/execution/`,
    AIRFLOW__API_AUTH__JWT_SECRET: randomBytes(32).toString('hex'),
    AIRFLOW__API__SECRET_KEY: randomBytes(32).toString('hex'),
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: databaseUrl.replace(/^postgres(ql)?:/, 'postgresql+psycopg2:'),
  };
  const program = join(bin, 'airflow');
  const place = { env: environment, cwd: home };
  await runCommand(program, ['db', 'migrate'], { ...place, timeoutMs: 300_000 });
  const parts = {
    'airflow-api-server': ['api-server', '--host', '127.0.0.1', '--port', port, '--workers', '1'],
    'airflow-scheduler': ['scheduler'],
    'airflow-dag-processor': ['dag-processor'],
  };
  for (const [name, args] of Object.entries(parts)) startProgram(bench, name, [program, ...args], place);

  const { access_token: token } = await awaitAnswer<{ access_token: string }>(
    'Airflow gives a token',
    `http://127.0.0.1:${port}/auth/token`,
    ({ access_token }) => access_token !== undefined,
    { timeoutMs: 300_000, everyMs: 500 },
  );
  const headers = { authorization: `Bearer ${token}` };
  const dag = `http://127.0.0.1:${port}/api/v2/dags/bench`;
  await awaitAnswer('Airflow has read its DAG', dag, () => true, {
    timeoutMs: 300_000,
    everyMs: 500,
    headers,
  });

  return {
    name: `Airflow ${version}, BashOperator`,
    async run() {
      const startedAt = Date.now();
      const made = await ask<{ dag_run_id: string }>(`${dag}/dagRuns`, {
        headers,
        body: { logical_date: null },
      });
      const run = await awaitAnswer<{ state: string; end_date: string }>(
        'Airflow has run the DAG',
        `${dag}/dagRuns/${encodeURIComponent(made.dag_run_id)}`,
        ({ state }) => state === 'success' || state === 'failed',
        { timeoutMs: 300_000, everyMs: 200, headers },
      );
      if (run.state !== 'success')
        throw new Error(`Airflow's run ended as ${run.state}: see ${bench.logFolder}`);
      return Date.parse(run.end_date) - startedAt;
    },
  };
}
