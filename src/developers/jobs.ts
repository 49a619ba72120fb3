import type { Context, Principal } from '../context.ts';
import { storedConnection } from '../environments/connection.ts';
import type { Page, WorkspaceJob } from './schema.ts';
import { listJobs } from './store.ts';

/** Every job of the organization, whatever its project. */
export async function jobsOf({ db }: Context, { organizationId }: Principal, page: Page) {
  const { rows, total } = await listJobs(db, organizationId, page);
  const results = rows.map(({ id, name, enabled, environment }): WorkspaceJob => ({
    _id: id,
    name,
    ...targetOf(environment.connection),
    is_active: enabled,
  }));
  return { count: total, results };
}

/** What is not known where the project brings a profile of its own. */
function targetOf(stored: unknown): Pick<WorkspaceJob, 'schema_name' | 'connector_name'> {
  const { data: connection } = storedConnection.safeParse(stored);
  if (connection === undefined) return { schema_name: null, connector_name: null };
  return {
    schema_name: connection.type === 'bigquery' ? connection.dataset : connection.schema,
    connector_name: connection.type,
  };
}
