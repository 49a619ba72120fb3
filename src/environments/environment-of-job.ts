import type { Database, Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
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
  if (production === undefined) throw new AppError('not_found', 'There is no such project.');
  if (wanted === undefined) return production.id;
  const isThere = environments.some(({ id }) => id === wanted);
  if (isThere && (await holdEnvironment(db, wanted))) return wanted;
  const detail = "Give the id of one of the project's environments (GET .../environments lists them).";
  throw new AppError('invalid_request', detail, { problems: [{ pointer: '/environment_id', detail }] });
}
