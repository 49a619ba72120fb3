import type { Database, Transaction } from '../db.ts';
import { invalidField } from '../errors.ts';
import { noSuchProject } from './require-project.ts';
import { holdEnvironment, listEnvironments } from './store.ts';

/**
 * The id of the environment a job is to run in: the wanted one, or the project's `production`. Throws `not_found` when
 * the project is not there or another organization's. In a transaction, it cannot be deleted before that ends.
 */
export async function environmentOfJob(
  db: Database | Transaction,
  organizationId: string,
  projectId: string,
  wanted: string | undefined,
): Promise<string> {
  const environments = await listEnvironments(db, organizationId, projectId);
  const [production] = environments;
  if (production === undefined) throw noSuchProject();
  if (wanted === undefined) return production.id;
  const isThere = environments.some(({ id }) => id === wanted);
  if (isThere && (await holdEnvironment(db, wanted))) return wanted;
  throw invalidField(
    '/environment_id',
    "Give the id of one of the project's environments (GET .../environments lists them).",
  );
}
