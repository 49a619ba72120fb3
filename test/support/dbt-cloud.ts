import type { DeployedProject } from './project.ts';
import type { Answer, System } from './system.ts';

/** What a dbt Cloud client is configured with, and how it asks. */
export interface DbtCloud {
  account: number;
  project: number;
  environment: number;
  /** The project's first job. */
  job: number;
  /** Paths are those below `/api/v2/accounts/{account}`. */
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  delete(path: string): Promise<Answer>;
  /** The number of a run by its id. */
  numberOf(runId: string): Promise<number>;
}

export async function asDbtCloud(system: System, project: DeployedProject): Promise<DbtCloud> {
  const number = async (table: string, id: string): Promise<number> => {
    const { rows } = await system.pool.query(`SELECT number::float8 FROM ${table} WHERE id = $1`, [id]);
    return rows[0].number;
  };
  const account = await number('organizations', system.organizationId);
  const below = `/api/v2/accounts/${account}`;
  return {
    account,
    project: await number('projects', project.projectId),
    environment: await number('environments', project.environmentId),
    job: await number('jobs', project.jobId),
    get: (path) => system.call('GET', below + path),
    post: (path, body, headers) => system.call('POST', below + path, body, headers),
    delete: (path) => system.call('DELETE', below + path),
    numberOf: (runId) => number('runs', runId),
  };
}
