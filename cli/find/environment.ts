import type { Environment, Project } from '../../client/index.ts';
import { UsageError } from '../failure.ts';
import { allOf } from './take.ts';
import type { Shell } from '../shell.ts';
import { namesOf } from './project.ts';

const usual = 'production';

/** A project's environment by its name or id; left out: production, or the only one. */
export async function findEnvironment(
  shell: Shell,
  project: Project,
  wanted: string | undefined,
): Promise<Environment> {
  const all = await allEnvironments(shell, project);
  const [only] = all;
  const found =
    wanted === undefined
      ? (all.find(({ name }) => name === usual) ?? (all.length === 1 ? only : undefined))
      : (all.find(({ id }) => id === wanted) ?? all.find(({ name }) => name === wanted));
  if (found !== undefined) return found;
  if (only === undefined)
    throw new UsageError(`${project.name} has no environment yet: its first deployment creates production.`);
  throw new UsageError(
    wanted === undefined
      ? `Choose an environment with --environment: ${namesOf(all)}.`
      : `There is no environment ${wanted} in ${project.name}. There are: ${namesOf(all)}.`,
  );
}

export function allEnvironments(shell: Shell, { id }: Pick<Project, 'id'>): Promise<Environment[]> {
  const path = { project_id: id };
  return allOf(shell.client().items('listEnvironments', { path, query: { limit: 200 } }));
}
