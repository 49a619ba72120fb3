import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { copyTables, makeAirflowHome, type AirflowMajor, type AirflowOptions } from './airflow-home.ts';
import { runToEnd } from './environments.ts';

export interface EndedDag {
  state: string;
  /** Task id -> its state, how often it was tried, and what it returned. */
  tasks: Record<string, { state: string; tries: number; returned: any }>;
}

// A task that comes to its execution_timeout ends the test of its DAG in Airflow 2, as Ctrl-C would.
const script = `
import sys, traceback
from airflow.models import DagBag
bag = DagBag()
assert not bag.import_errors, bag.import_errors
for name in sys.argv[1:]:
    try:
        bag.dags[name].test()
    except BaseException:
        traceback.print_exc()
`;

/** One run of each DAG, one after the other in one process: what takes longest is to start an Airflow. */
export async function runDags(
  major: AirflowMajor,
  dagIds: string[],
  options: AirflowOptions & { timeoutMs?: number },
): Promise<{ dags: Record<string, EndedDag>; log: string }> {
  const home = await makeAirflowHome(major, options);
  try {
    await copyTables(home);
    const { stdout, stderr } = await runToEnd(home.environment.python, ['-', ...dagIds], {
      env: home.variables,
      cwd: home.folder,
      input: script,
      timeoutMs: options.timeoutMs ?? 100_000,
    });
    const log = stdout + stderr;
    const database = new DatabaseSync(join(home.folder, 'airflow.db'), { readOnly: true });
    const dags = Object.fromEntries(dagIds.map((id) => [id, readDag(database, id)]));
    database.close();
    return { dags, log };
  } finally {
    await home.remove();
  }
}

function readDag(database: DatabaseSync, dagId: string): EndedDag {
  const run = database.prepare('SELECT state FROM dag_run WHERE dag_id = ?').get(dagId);
  const tasks = database
    .prepare(
      `SELECT task_id, state, try_number,
         (SELECT value FROM xcom WHERE xcom.dag_id = t.dag_id AND xcom.task_id = t.task_id AND key = 'return_value') AS returned
       FROM task_instance t WHERE dag_id = ?`,
    )
    .all(dagId);
  return {
    state: String(run?.['state']),
    tasks: Object.fromEntries(
      tasks.map(({ task_id, state, try_number, returned }) => [
        String(task_id),
        { state: String(state), tries: Number(try_number), returned: parse(returned) },
      ]),
    ),
  };
}

/** JSON, in Airflow 2 as bytes. */
function parse(value: SQLOutputValue | undefined): unknown {
  if (value === null || value === undefined) return null;
  return JSON.parse(value instanceof Uint8Array ? Buffer.from(value).toString() : String(value));
}
