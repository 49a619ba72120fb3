import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import type { Database } from '../db.ts';
import { AppError } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import type { deploymentList } from './schema.ts';
import { findCurrentDeploymentId, findProject, listDeployments } from './store.ts';

/** The project's deployments, newest first. */
export async function deploymentsOf(
  { db }: Context,
  { organizationId }: Principal,
  projectId: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<z.input<typeof deploymentList>> {
  if ((await findProject(db, organizationId, projectId)) === null) {
    throw new AppError('not_found', 'There is no such project.');
  }
  const rows = await listDeployments(db, projectId, decodeCursor(page.cursor), page.limit + 1);
  return pageOf(rows, page.limit, (row) => ({
    id: row.id,
    project_id: row.projectId,
    digest: row.digest,
    size_bytes: Number(row.sizeBytes),
    file_count: row.fileCount,
    deployed_by: row.deployedBy,
    created_at: row.createdAt.toISOString(),
  }));
}

/** The deployment that runs recorded from now on use. Undefined before the first one. */
export function currentDeploymentId(db: Database, projectId: string): Promise<string | undefined> {
  return findCurrentDeploymentId(db, projectId);
}
