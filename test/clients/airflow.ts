import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../../scripts/setup/port.ts';
import { lastLines, readIfThere } from '../../scripts/setup/processes.ts';
import { onServer } from '../support/database.ts';
import { until } from '../support/until.ts';
import {
  makeAirflowHome,
  mustEndWell,
  type AirflowHome,
  type AirflowMajor,
  type AirflowOptions,
} from './airflow-home.ts';

const login = { username: 'admin', password: 'admin' };
const patienceMs = 110_000;

/** A whole Airflow: its API, its scheduler, on a Postgres database of its own. */
export interface Airflow {
  /** For example `http://127.0.0.1:40123`. */
  url: string;
  login: { username: string; password: string };
  /** Where its API's paths begin. */
  api: '/api/v1' | '/api/v2';
  /** Calls its API as the administrator; the path begins after `api`. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: any }>;
  /** Waits until the DAG has been read, which is only a while after the start. */
  knows(dagId: string): Promise<void>;
  triggerDag(dagId: string, conf?: object): Promise<string>;
  dagRuns(dagId: string): Promise<{ dag_run_id: string; state: string; conf: Record<string, any> }[]>;
  waitForDagRun(dagId: string, dagRunId: string, timeoutMs?: number): Promise<'success' | 'failed'>;
  /** Task id -> state. */
  taskStates(dagId: string, dagRunId: string): Promise<Record<string, string | null>>;
  /** What the task wrote in all its tries. */
  taskLog(dagId: string, dagRunId: string, taskId: string): Promise<string>;
  /** Ends it with every process that came from it, and removes what it kept. */
  stop(): Promise<void>;
}

export async function startAirflow(
  major: AirflowMajor,
  options: AirflowOptions & { withTriggerer?: boolean },
): Promise<Airflow> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const database = `airflow_${randomBytes(6).toString('hex')}`;
  const home = await makeAirflowHome(major, {
    ...options,
    env: { ...settings(url, database), ...(major === 2 ? settingsOf2 : settingsOf3()), ...options.env },
  });
  async function stop() {
    await endProcesses(home.folder);
    await onServer(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    await home.remove();
  }

  try {
    await createTables(major, home, database);
    if (major === 3) await writePassword(home);
    const parts = {
      ...(major === 2
        ? { webserver: ['webserver', '--hostname', '127.0.0.1', '--port', String(port)] }
        : {
            'api-server': ['api-server', '--host', '127.0.0.1', '--port', String(port)],
            'dag-processor': ['dag-processor'],
          }),
      scheduler: ['scheduler', '--skip-serve-logs'],
      ...(options.withTriggerer ? { triggerer: ['triggerer', '--skip-serve-logs'] } : {}),
    };
    const endings = Object.entries(parts).map(([name, args]) => startPart(home, name, args));
    const server = openServer(major, url);
    await Promise.race([server.isUp(Object.keys(parts)), ...endings]);
    return { url, login, stop, ...server, ...readings(major, server, home) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One process a part, and short waits: two cores are all there is. */
function settings(url: string, database: string): Record<string, string> {
  const address = new URL(process.env['DCTL_TEST_POSTGRES_URL'] ?? '');
  address.pathname = `/${database}`;
  return {
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: address.href.replace(/^postgres(ql)?:/, 'postgresql+psycopg2:'),
    AIRFLOW__CORE__EXECUTOR: 'LocalExecutor',
    AIRFLOW__CORE__PARALLELISM: '2',
    AIRFLOW__CORE__EXECUTION_API_SERVER_URL: `${url}/execution/`,
    AIRFLOW__SCHEDULER__PARSING_PROCESSES: '1',
    AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES: '1',
    AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME: '0.2',
    // A DAG with a schedule runs when a test says so, and only then.
    AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE: 'False',
  };
}

const settingsOf2 = {
  AIRFLOW__API__AUTH_BACKENDS: 'airflow.api.auth.backend.basic_auth',
  AIRFLOW__WEBSERVER__WORKERS: '1',
  AIRFLOW__WEBSERVER__SECRET_KEY: 'of a test',
};

function settingsOf3(): Record<string, string> {
  return {
    AIRFLOW__API__WORKERS: '1',
    AIRFLOW__API__SECRET_KEY: randomBytes(32).toString('hex'),
    AIRFLOW__API_AUTH__JWT_SECRET: randomBytes(32).toString('hex'),
    AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS: `${login.username}:admin`,
  };
}

async function writePassword({ folder }: AirflowHome): Promise<void> {
  const file = join(folder, 'simple_auth_manager_passwords.json.generated');
  await writeFile(file, JSON.stringify({ [login.username]: login.password }));
}

/** A copy of a database that is made once for these packages: its tables, and on Airflow 2 its administrator. */
async function createTables(major: AirflowMajor, home: AirflowHome, database: string): Promise<void> {
  const template = `airflow${major}_${home.environment.digest}`;
  try {
    return await onServer(`CREATE DATABASE ${database} TEMPLATE ${template}`);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== '3D000') throw error;
  }
  await onServer(`CREATE DATABASE ${database}`);
  await mustEndWell(home.airflow(['db', 'migrate']));
  if (major === 2) {
    const person = ['-f', 'A', '-l', 'B', '-e', 'admin@example.com', '-r', 'Admin'];
    const { username, password } = login;
    await mustEndWell(home.airflow(['users', 'create', '-u', username, '-p', password, ...person]));
  }
  // Copied, then renamed: what bears the name is whole. When somebody else was quicker, theirs stays.
  const fresh = `${database}_template`;
  await onServer(`CREATE DATABASE ${fresh} TEMPLATE ${database}`);
  await onServer(`ALTER DATABASE ${fresh} RENAME TO ${template}`).catch(() =>
    onServer(`DROP DATABASE ${fresh}`),
  );
}

/** Rejects when the part ends before it is asked to. */
function startPart(home: AirflowHome, name: string, args: string[]): Promise<never> {
  const file = join(home.folder, `${name}.log`);
  const log = openSync(file, 'a');
  const child = spawn(join(home.environment.bin, 'airflow'), args, {
    env: home.variables,
    cwd: home.folder,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ending = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(
        new Error(`Airflow's ${name} ended (${signal ?? code}): ${lastLines(readIfThere(file) ?? '', 30)}`),
      ),
    );
  });
  ending.catch(() => undefined);
  return ending;
}

type Server = Pick<Airflow, 'api' | 'call'> & { isUp(parts: string[]): Promise<void> };

function openServer(major: AirflowMajor, url: string): Server {
  const api = major === 2 ? '/api/v1' : '/api/v2';
  let token: string | undefined;

  async function ask(method: string, path: string, headers: Record<string, string>, body?: unknown) {
    const response = await fetch(url + path, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, body: isJson ? JSON.parse(text) : text };
  }

  async function authorization(): Promise<string> {
    const { username, password } = login;
    if (major === 2) return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    token ??= (await ask('POST', '/auth/token', {}, login)).body.access_token as string;
    return `Bearer ${token}`;
  }

  return {
    api,
    call: async (method, path, body) =>
      ask(method, api + path, { authorization: await authorization() }, body),
    async isUp(parts) {
      const path = major === 2 ? '/health' : '/api/v2/monitor/health';
      const isHealthy = ({ body }: { body: any }) =>
        body?.scheduler?.status === 'healthy' &&
        (!parts.includes('triggerer') || body.triggerer.status === 'healthy');
      const look = () => ask('GET', path, {}).catch((error: Error) => ({ status: 0, body: error.message }));
      await until(`Airflow ${major} is up`, look, isHealthy, patienceMs);
    },
  };
}

function readings(
  major: AirflowMajor,
  { call }: Server,
  { folder }: AirflowHome,
): Pick<Airflow, 'knows' | 'triggerDag' | 'dagRuns' | 'waitForDagRun' | 'taskStates' | 'taskLog'> {
  async function read<T>(path: string): Promise<T> {
    const { status, body } = await call('GET', path);
    if (status !== 200) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`);
    return body;
  }
  const pathOf = (dagId: string, runId: string) => `/dags/${dagId}/dagRuns/${encodeURIComponent(runId)}`;
  const knows = async (dagId: string) => {
    const errors = () => read<{ import_errors: unknown[] }>('/importErrors');
    const look = async () => ({ ...(await call('GET', `/dags/${dagId}`)), ...(await errors()) });
    const seen = await until(
      `Airflow has read ${dagId}`,
      look,
      ({ status, import_errors }) => status === 200 || import_errors.length > 0,
      patienceMs,
    );
    if (seen.status !== 200) throw new Error(`a DAG is wrong: ${JSON.stringify(seen.import_errors)}`);
  };

  return {
    knows,
    async triggerDag(dagId, conf = {}) {
      await knows(dagId);
      const body = major === 2 ? { conf } : { conf, logical_date: null };
      const made = await call('POST', `/dags/${dagId}/dagRuns`, body);
      if (made.status !== 200)
        throw new Error(`Airflow answered ${made.status}: ${JSON.stringify(made.body)}`);
      return made.body.dag_run_id;
    },
    dagRuns: async (dagId) => (await read<{ dag_runs: never[] }>(`/dags/${dagId}/dagRuns`)).dag_runs,
    async waitForDagRun(dagId, dagRunId, timeoutMs = patienceMs) {
      const { state } = await until(
        `the DAG run ${dagRunId} has ended`,
        () => read<{ state: string }>(pathOf(dagId, dagRunId)),
        ({ state }) => state === 'success' || state === 'failed',
        timeoutMs,
      );
      return state as 'success' | 'failed';
    },
    async taskStates(dagId, dagRunId) {
      const { task_instances: tasks } = await read<{
        task_instances: { task_id: string; state: string | null }[];
      }>(`${pathOf(dagId, dagRunId)}/taskInstances`);
      return Object.fromEntries(tasks.map(({ task_id: id, state }) => [id, state]));
    },
    async taskLog(dagId, dagRunId, taskId) {
      const place = join(folder, 'logs', `dag_id=${dagId}`, `run_id=${dagRunId}`, `task_id=${taskId}`);
      const names = (await readdir(place)).toSorted();
      return (await Promise.all(names.map((name) => readFile(join(place, name), 'utf8')))).join('\n');
    },
  };
}

/**
 * Whoever works in the folder or below came from its Airflow: tasks leave their process group, and some rename
 * themselves, but all stay there.
 */
async function endProcesses(folder: string): Promise<void> {
  await until(
    `the processes of ${folder} are gone`,
    () => {
      const pids = processesIn(folder);
      for (const pid of pids) kill(pid);
      return pids;
    },
    (pids) => pids.length === 0,
    30_000,
  );
}

export function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isIn(folder, pid));
}

function isIn(folder: string, pid: number): boolean {
  try {
    const place = readlinkSync(`/proc/${pid}/cwd`);
    if (place !== folder && !place.startsWith(`${folder}/`)) return false;
    // One that has ended and whose parent has not asked how is nobody any more.
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
