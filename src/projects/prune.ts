import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { preparationsOf } from '../preparations/preparations.ts';
import { forgetPrepared } from '../preparations/store.ts';
import { removeDeploymentFiles } from './deployment-files.ts';
import { noSuchDeployment, viewOfDeployment, type DeploymentKey } from './deployments.ts';
import { getProject, lockedProject } from './projects.ts';
import type { deploymentView } from './schema.ts';
import { countOpenRuns, findDeployment, findOldDeployments, lockDeployments, markPruned } from './store.ts';

/**
 * Removes a deployment's files. Refuses the current one, and one that a run needs which has not come to its end.
 * One whose files were removed is removed again: a server that died on the way may have left some.
 */
export async function pruneDeployment(
  context: Context,
  principal: Principal,
  key: DeploymentKey,
): Promise<void> {
  const outcome = await prune(context, principal, key);
  switch (outcome) {
    case 'pruned':
    case 'was_pruned':
      return;
    case 'unknown':
      throw noSuchDeployment();
    case 'current':
      throw new AppError('conflict', 'This deployment is the current one. Activate another one first.');
    case 'in_use':
      throw new AppError(
        'conflict',
        'Runs that are queued or running use this deployment. Cancel or await them first.',
      );
  }
}

/** Removes the files of all deployments but the newest, the current one, and those that runs still need. */
export async function pruneOldDeployments(
  context: Context,
  principal: Principal,
  projectId: string,
  keep: number,
): Promise<{ pruned: z.input<typeof deploymentView>[] }> {
  const current = (await getProject(context, principal, projectId)).deployment?.id;
  const rows = [];
  for (const deploymentId of await findOldDeployments(context.db, projectId, keep)) {
    if ((await prune(context, principal, { projectId, deploymentId })) !== 'pruned') continue;
    const row = await findDeployment(context.db, projectId, deploymentId);
    if (row !== null) rows.push(row);
  }
  const preparations = await preparationsOf(
    context.db,
    rows.map(({ id }) => id),
    { withOutput: false },
  );
  return { pruned: rows.map((row) => viewOfDeployment(row, current, preparations(row.id))) };
}

type Outcome = 'pruned' | 'was_pruned' | 'unknown' | 'current' | 'in_use';

/** The mark comes first and the files go after it: no trigger takes a deployment that is marked. */
async function prune(
  context: Context,
  principal: Principal,
  { projectId, deploymentId }: DeploymentKey,
): Promise<Outcome> {
  const outcome = await context.db.$transaction(async (tx): Promise<Outcome> => {
    const project = await lockedProject(tx, principal, projectId);
    await lockDeployments(tx, { projectId, deploymentId });
    const deployment = await findDeployment(tx, projectId, deploymentId);
    if (deployment === null) return 'unknown';
    if (deployment.prunedAt !== null) return 'was_pruned';
    if (project.deploymentId === deploymentId) return 'current';
    if ((await countOpenRuns(tx, { projectId, deploymentId })) > 0) return 'in_use';
    await forgetPrepared(tx, await markPruned(tx, { projectId, deploymentId }));
    const subject = { kind: 'deployment', id: deploymentId };
    await recordAudit(tx, principal, 'deployment.pruned', subject, { project_id: projectId });
    return 'pruned';
  });
  if (outcome === 'pruned' || outcome === 'was_pruned') await removeDeploymentFiles(context, deploymentId);
  return outcome;
}
