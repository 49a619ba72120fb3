import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import { isTaken } from '../db.ts';
import { AppError } from '../errors.ts';
import { displayCommand } from '../jobs/commands.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import type { newProject, projectList, projectView } from './schema.ts';
import { findProject, insertProject, listProjects } from './store.ts';

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
  if (project === null) throw new AppError('not_found', 'There is no such project.');
  return view(project);
}

export async function createProject(
  { db }: Context,
  { organizationId }: Principal,
  wanted: z.output<typeof newProject>,
) {
  try {
    return view(await insertProject(db, { organizationId, ...wanted }));
  } catch (error) {
    if (!isTaken(error)) throw error;
    throw new AppError('conflict', 'A project with this name exists. Choose another name.', { cause: error });
  }
}

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
