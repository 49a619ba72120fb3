import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import type { environmentChange, environmentList, environmentView } from './schema.ts';
import { findEnvironment, listEnvironments, updateEnvironment } from './store.ts';

export async function environmentsOf(
  { db }: Context,
  { organizationId }: Principal,
  projectId: string,
): Promise<z.input<typeof environmentList>> {
  const rows = await listEnvironments(db, organizationId, projectId);
  if (rows.length === 0) throw new AppError('not_found', 'There is no such project.');
  return { data: rows.map(view), next_cursor: null };
}

/** Applies to runs recorded from now on: a run keeps the settings it was recorded with. */
export async function changeEnvironment(
  { db }: Context,
  { organizationId }: Principal,
  { projectId, environmentId }: { projectId: string; environmentId: string },
  change: z.output<typeof environmentChange>,
): Promise<z.input<typeof environmentView>> {
  const environment = await findEnvironment(db, { organizationId, projectId, id: environmentId });
  if (environment === null) throw new AppError('not_found', 'There is no such environment.');
  const changed = await updateEnvironment(db, environmentId, {
    ...(change.runner_image !== undefined && { runnerImage: change.runner_image }),
    ...(change.memory_mb !== undefined && { memoryMb: change.memory_mb }),
    ...(change.cpus !== undefined && { cpus: change.cpus }),
    ...(change.network !== undefined && { network: change.network }),
  });
  return view(changed);
}

function view(
  row: NonNullable<Awaited<ReturnType<typeof findEnvironment>>>,
): z.input<typeof environmentView> {
  return {
    id: row.id,
    project_id: row.projectId,
    name: row.name,
    runner_image: row.runnerImage,
    memory_mb: row.memoryMb,
    cpus: row.cpus,
    network: row.network,
    created_at: row.createdAt.toISOString(),
  };
}
