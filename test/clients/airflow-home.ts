import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PythonEnvironment } from '../../scripts/setup/python-environment.ts';
import { clientVariables, ensureClientEnvironment, runToEnd, type Ended } from './environments.ts';

export type AirflowMajor = 2 | 3;

export interface AirflowOptions {
  /** File name -> text of what is in the DAGs folder. */
  dags: Record<string, string>;
  /** Connection id -> what `AIRFLOW_CONN_...` takes: an object becomes JSON. */
  connections?: Record<string, string | object>;
  variables?: Record<string, string>;
  /** More of its settings, as `AIRFLOW__SECTION__KEY`, and whatever else its processes are to see. */
  env?: Record<string, string>;
  /** The file with the authority that signed our certificate. */
  certificates?: string;
}

/** A folder with settings, DAGs and logs of one Airflow, and its variables. */
export interface AirflowHome {
  environment: PythonEnvironment;
  folder: string;
  variables: Record<string, string>;
  airflow(args: string[], timeoutMs?: number): Promise<Ended>;
  remove(): Promise<void>;
}

export async function makeAirflowHome(major: AirflowMajor, options: AirflowOptions): Promise<AirflowHome> {
  const environment = await ensureClientEnvironment(`airflow${major}`);
  const folder = await mkdtemp(join(tmpdir(), `dctl-airflow${major}-`));
  await mkdir(join(folder, 'dags'));
  for (const [name, text] of Object.entries(options.dags)) await writeFile(join(folder, 'dags', name), text);
  const { certificates } = options;
  const own = certificates === undefined ? { home: folder } : { home: folder, certificates };
  const variables = {
    ...clientVariables(environment, own),
    AIRFLOW_HOME: folder,
    AIRFLOW__CORE__DAGS_FOLDER: join(folder, 'dags'),
    AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
    AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION: 'False',
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED: 'False',
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: `sqlite:///${join(folder, 'airflow.db')}`,
    ...named('AIRFLOW_CONN_', options.connections ?? {}),
    ...named('AIRFLOW_VAR_', options.variables ?? {}),
    ...options.env,
  };
  return {
    environment,
    folder,
    variables,
    airflow: (args, timeoutMs = 100_000) =>
      runToEnd(join(environment.bin, 'airflow'), args, { env: variables, cwd: folder, timeoutMs }),
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/**
 * An SQLite file with Airflow's tables, which take seconds to make: made once for these packages, then copied.
 */
export async function copyTables({ environment, folder, airflow }: AirflowHome): Promise<void> {
  const file = join(folder, 'airflow.db');
  const kept = join(environment.bin, '..', 'airflow.db');
  if (existsSync(kept)) return copyFile(kept, file);
  await mustEndWell(airflow(['db', 'migrate']));
  await copyFile(file, `${kept}.${process.pid}`);
  await rename(`${kept}.${process.pid}`, kept);
}

export async function mustEndWell(ending: Promise<Ended>): Promise<void> {
  const { exitCode, stdout, stderr } = await ending;
  if (exitCode !== 0) throw new Error(`Airflow ended with ${exitCode}: ${(stdout + stderr).slice(-2_000)}`);
}

function named(prefix: string, values: Record<string, string | object>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      prefix + name.toUpperCase(),
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}
