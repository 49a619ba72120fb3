import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context, Principal } from '../context.ts';
import { unlessTaken, type Transaction } from '../db.ts';
import { forgetSecretsOf } from '../environments/environments.ts';
import { noSuchProject } from '../environments/require-project.ts';
import { AppError } from '../errors.ts';
import { displayCommand } from '../jobs/commands.ts';
import { findScheduledJobs } from '../jobs/store.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import { forgetPrepared } from '../preparations/store.ts';
import { removeDeploymentFiles } from './deployment-files.ts';
import type { newProject, projectChange, projectList, projectView } from './schema.ts';
import {
  countOpenRuns,
  findProject,
  insertProject,
  listProjects,
  lockDeployments,
  lockProject,
  markProjectDeleted,
  markPruned,
  updateProject,
} from './store.ts';

/** The organization's projects, oldest first, each with its jobs. */
export async function projectsOf(
  { db }: Context,
  { organizationId }: Principal,
  page: { limit: number; cursor?: string | undefined },
): Promise<z.input<typeof projectList>> {
  const rows = await listProjects(db, organizationId, decodeCursor(page.cursor), page.limit + 1);
  return pageOf(rows, page.limit, view);
}

export async function getProject({ db }: Context, { organizationId }: Principal, id: string) {
  const project = await findProject(db, organizationId, id);
  if (project === null) throw noSuchProject();
  return view(project);
}

export async function createProject(
  { db }: Context,
  principal: Principal,
  wanted: z.output<typeof newProject>,
) {
  return named(() =>
    db.$transaction(async (tx) => {
      const { organizationId } = principal;
      const project = await insertProject(tx, { organizationId, ...wanted });
      const subject = { kind: 'project', id: project.id };
      await recordAudit(tx, principal, 'project.created', subject, { name: project.name });
      return view(project);
    }),
  );
}

export async function changeProject(
  { db }: Context,
  principal: Principal,
  id: string,
  change: z.output<typeof projectChange>,
) {
  return named(() =>
    db.$transaction(async (tx) => {
      const project = await lockedProject(tx, principal, id);
      if (change.name === undefined || change.name === project.name) return view(project);
      const changed = await updateProject(tx, id, { name: change.name });
      await recordAudit(tx, principal, 'project.changed', { kind: 'project', id }, { fields: ['name'] });
      return view(changed);
    }),
  );
}

/**
 * Its jobs and environments are not found any more, its deployments' files and its secrets are removed, and its name
 * is free. Runs with their logs and artifacts stay.
 */
export async function deleteProject(context: Context, principal: Principal, id: string): Promise<void> {
  const { db, doorbell, log } = context;
  const { pruned, scheduled } = await db.$transaction(async (tx) => {
    const { name } = await lockedProject(tx, principal, id);
    await lockDeployments(tx, { projectId: id });
    const openRuns = await countOpenRuns(tx, { projectId: id });
    if (openRuns > 0) {
      const runs = openRuns === 1 ? 'One run of the project is' : `${openRuns} runs of the project are`;
      throw new AppError('conflict', `${runs} queued or running. Cancel or await that first.`);
    }
    await markProjectDeleted(tx, id);
    await forgetSecretsOf(tx, id);
    await recordAudit(tx, principal, 'project.deleted', { kind: 'project', id }, { name });
    const removed = await markPruned(tx, { projectId: id });
    await forgetPrepared(tx, removed);
    return { pruned: removed, scheduled: await findScheduledJobs(tx, id) };
  });
  await Promise.all(scheduled.map((jobId) => doorbell.ringNoMore(jobId)));
  for (const deploymentId of pruned) {
    await removeDeploymentFiles(context, deploymentId).catch((error: unknown) =>
      log.error({ error, deployment: deploymentId }, "a deleted project's files could not be removed"),
    );
  }
}

/** The project, which nobody else changes before the transaction has ended. */
export async function lockedProject(tx: Transaction, { organizationId }: Principal, id: string) {
  const project = (await lockProject(tx, organizationId, id)) && (await findProject(tx, organizationId, id));
  if (!project) throw noSuchProject();
  return project;
}

const named = unlessTaken('A project with this name exists. Choose another name.');

function view(project: NonNullable<Awaited<ReturnType<typeof findProject>>>): z.input<typeof projectView> {
  return {
    id: project.id,
    name: project.name,
    type: project.type,
    created_at: project.createdAt.toISOString(),
    deployment: deploymentOf(project),
    jobs: project.jobs.map(({ id, name, commands }) => ({ id, name, command: displayCommand(commands) })),
  };
}

function deploymentOf(project: {
  deploymentId: string | null;
  deploymentSince: Date | null;
  deploymentBy: string | null;
}) {
  const { deploymentId: id, deploymentSince: since, deploymentBy: by } = project;
  return id === null || since === null || by === null ? null : { id, since: since.toISOString(), by };
}
