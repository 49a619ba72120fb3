import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import { getProject, lockedProject } from './projects.ts';
import type { deploymentList, deploymentView } from './schema.ts';
import { findDeployment, listDeployments, useDeployment } from './store.ts';

type DeploymentView = z.input<typeof deploymentView>;

export interface DeploymentKey {
  projectId: string;
  deploymentId: string;
}

/** The project's deployments, newest first; without those whose files were removed, unless they are asked for. */
export async function deploymentsOf(
  context: Context,
  principal: Principal,
  projectId: string,
  page: { limit: number; cursor?: string | undefined; includePruned: boolean },
): Promise<z.input<typeof deploymentList>> {
  const current = (await getProject(context, principal, projectId)).deployment?.id;
  const where = { projectId, includePruned: page.includePruned };
  const rows = await listDeployments(context.db, where, decodeCursor(page.cursor), page.limit + 1);
  return pageOf(rows, page.limit, (row) => viewOfDeployment(row, current));
}

export async function getDeployment(
  context: Context,
  principal: Principal,
  { projectId, deploymentId }: DeploymentKey,
): Promise<DeploymentView> {
  const current = (await getProject(context, principal, projectId)).deployment?.id;
  const deployment = await findDeployment(context.db, projectId, deploymentId);
  if (deployment === null) throw noSuchDeployment();
  return viewOfDeployment(deployment, current);
}

/** Rolls back or forward: runs recorded from now on use it. Of the current one nothing changes. */
export async function activateDeployment(
  { db, log }: Context,
  principal: Principal,
  { projectId, deploymentId: id }: DeploymentKey,
): Promise<DeploymentView> {
  return db.$transaction(async (tx) => {
    const project = await lockedProject(tx, principal, projectId);
    const deployment = await findDeployment(tx, projectId, id);
    if (deployment === null) throw noSuchDeployment();
    if (deployment.prunedAt !== null) {
      throw new AppError('conflict', "This deployment's files were removed. Deploy that code again.");
    }
    if (project.deploymentId !== id) {
      await useDeployment(tx, projectId, { id, by: principal.actor.name });
      const details = { project_id: projectId, before: project.deploymentId };
      await recordAudit(tx, principal, 'deployment.activated', { kind: 'deployment', id }, details);
      log.info({ project: projectId, deployment: id }, 'deployment activated');
    }
    return viewOfDeployment(deployment, id);
  });
}

export function noSuchDeployment(): AppError {
  return new AppError('not_found', 'There is no such deployment.');
}

export function viewOfDeployment(
  row: NonNullable<Awaited<ReturnType<typeof findDeployment>>>,
  currentId: string | null | undefined,
): DeploymentView {
  return {
    id: row.id,
    project_id: row.projectId,
    digest: row.digest,
    size_bytes: Number(row.sizeBytes),
    file_count: row.fileCount,
    deployed_by: row.deployedBy,
    created_at: row.createdAt.toISOString(),
    is_current: row.id === currentId,
    pruned_at: row.prunedAt?.toISOString() ?? null,
  };
}
