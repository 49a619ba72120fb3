import type { Database, Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { listEnvironments } from './store.ts';

/**
 * The id of the environment a job is to run in: the wanted one, or the project's `production`. Throws `not_found` when
 * the project is not there or another organization's.
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
  if (environments.some(({ id }) => id === wanted)) return wanted;
  const detail = "Give the id of one of the project's environments (GET .../environments lists them).";
  throw new AppError('invalid_request', detail, { problems: [{ pointer: '/environment_id', detail }] });
}
