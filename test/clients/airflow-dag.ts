import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { copyTables, makeAirflowHome, type AirflowMajor, type AirflowOptions } from './airflow-home.ts';

export interface DagRun {
  state: 'success' | 'failed';
  /** Task id -> its state and how often it was tried. */
  tasks: Record<string, { state: string; tries: number }>;
  /** What all its tasks wrote, with much that Airflow writes. */
  log: string;
}

/**
 * One run of a DAG in one process (`airflow dags test`): no scheduler, no server, retries and deferred tasks included.
 * Seconds where a whole Airflow takes half a minute.
 */
export async function runDag(
  major: AirflowMajor,
  dagId: string,
  options: AirflowOptions & { conf?: object; timeoutMs?: number },
): Promise<DagRun> {
  const home = await makeAirflowHome(major, options);
  try {
    await copyTables(home);
    const conf = JSON.stringify(options.conf ?? {});
    const { stdout, stderr } = await home.airflow(['dags', 'test', dagId, '--conf', conf], options.timeoutMs);
    const log = stdout + stderr;
    const database = new DatabaseSync(join(home.folder, 'airflow.db'), { readOnly: true });
    const run = database.prepare('SELECT state FROM dag_run WHERE dag_id = ?').get(dagId);
    const tasks = database
      .prepare('SELECT task_id, state, try_number FROM task_instance WHERE dag_id = ?')
      .all(dagId);
    database.close();
    const state = run?.['state'];
    if (state !== 'success' && state !== 'failed')
      throw new Error(`the DAG ${dagId} did not run to its end (${String(state)}): ${log.slice(-4_000)}`);
    return {
      state,
      tasks: Object.fromEntries(
        tasks.map(({ task_id, state, try_number }) => [
          String(task_id),
          { state: String(state), tries: Number(try_number) },
        ]),
      ),
      log,
    };
  } finally {
    await home.remove();
  }
}
