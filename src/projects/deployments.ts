import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import { projectTypeOf } from '../commands/project-type.ts';
import type { Context, Principal } from '../context.ts';
import type { Database, Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import { preparationsOf } from '../preparations/preparations.ts';
import { requestPreparations } from '../preparations/request-preparations.ts';
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
  const preparations = await preparationsOf(
    context.db,
    rows.map(({ id }) => id),
    { withOutput: false },
  );
  return pageOf(rows, page.limit, (row) => viewOfDeployment(row, current, preparations(row.id)));
}

export async function getDeployment(
  context: Context,
  principal: Principal,
  { projectId, deploymentId }: DeploymentKey,
): Promise<DeploymentView> {
  const current = (await getProject(context, principal, projectId)).deployment?.id;
  const deployment = await findDeployment(context.db, projectId, deploymentId);
  if (deployment === null) throw noSuchDeployment();
  return viewWithPreparations(context.db, deployment, current);
}

/** Rolls back or forward: runs recorded from now on use it. Of the current one nothing changes. */
export async function activateDeployment(
  context: Context,
  principal: Principal,
  { projectId, deploymentId: id }: DeploymentKey,
): Promise<DeploymentView> {
  const { db, doorbell, log } = context;
  const { view, waiting } = await db.$transaction(async (tx) => {
    const project = await lockedProject(tx, principal, projectId);
    const deployment = await findDeployment(tx, projectId, id);
    if (deployment === null) throw noSuchDeployment();
    if (deployment.prunedAt !== null) {
      throw filesGone();
    }
    if (project.deploymentId !== id) {
      await useDeployment(tx, projectId, { id, by: principal.actor.name });
      const details = { project_id: projectId, before: project.deploymentId };
      await recordAudit(tx, principal, 'deployment.activated', { kind: 'deployment', id }, details);
      log.info({ project: projectId, deployment: id }, 'deployment activated');
    }
    const toPrepare = { projectId, projectType: projectTypeOf(project.type), deploymentId: id };
    const ids = await requestPreparations(context, tx, toPrepare);
    return { view: await viewWithPreparations(tx, deployment, id), waiting: ids };
  });
  for (const preparationId of waiting) await doorbell.ringPreparation(preparationId);
  return view;
}

/** Prepares a deployment once more: what it needs may have changed where nobody here could see it. */
export async function prepareAgain(
  context: Context,
  principal: Principal,
  { projectId, deploymentId: id }: DeploymentKey,
): Promise<DeploymentView> {
  const { config, db, doorbell } = context;
  const { view, waiting } = await db.$transaction(async (tx) => {
    const project = await lockedProject(tx, principal, projectId);
    const deployment = await findDeployment(tx, projectId, id);
    if (deployment === null) throw noSuchDeployment();
    if (deployment.prunedAt !== null) throw filesGone();
    const projectType = projectTypeOf(project.type);
    if (projectType !== 'dbt') {
      throw new AppError('conflict', 'Only dbt projects are prepared: runs of this one need nothing else.');
    }
    if (config.DCTL_PREPARATIONS === 'off') {
      throw new AppError('conflict', 'This server prepares nothing: set DCTL_PREPARATIONS to on.');
    }
    const toPrepare = { projectId, projectType, deploymentId: id };
    const ids = await requestPreparations(context, tx, toPrepare, 'anew');
    const subject = { kind: 'deployment', id };
    await recordAudit(tx, principal, 'deployment.prepared_again', subject, { project_id: projectId });
    return { view: await viewWithPreparations(tx, deployment, project.deploymentId), waiting: ids };
  });
  for (const preparationId of waiting) await doorbell.ringPreparation(preparationId);
  return view;
}

function filesGone(): AppError {
  return new AppError('conflict', "This deployment's files were removed. Deploy that code again.");
}

export function noSuchDeployment(): AppError {
  return new AppError('not_found', 'There is no such deployment.');
}

type DeploymentRow = NonNullable<Awaited<ReturnType<typeof findDeployment>>>;

async function viewWithPreparations(
  db: Database | Transaction,
  row: DeploymentRow,
  currentId: string | null | undefined,
): Promise<DeploymentView> {
  const preparations = await preparationsOf(db, [row.id], { withOutput: true });
  return viewOfDeployment(row, currentId, preparations(row.id));
}

export function viewOfDeployment(
  row: DeploymentRow,
  currentId: string | null | undefined,
  preparations: DeploymentView['preparations'],
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
    preparations,
  };
}
