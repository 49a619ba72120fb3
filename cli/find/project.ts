import type { DctlClient, Project } from '../../client/index.ts';
import { UsageError } from '../failure.ts';
import { allOf } from './take.ts';
import { plain } from '../output/plain.ts';
import { projectOfFolder } from '../settings/project-file.ts';
import type { Shell } from '../shell.ts';
import { suggestion } from '../suggest.ts';

/** The project that is meant: named, that of the folder, or the only one there is. */
export async function findProject(
  shell: Shell,
  named: string | undefined,
  folder = shell.folder,
): Promise<Project> {
  const wanted = named ?? projectNamed(shell, folder);
  const projects = await allProjects(shell.client());
  if (wanted !== undefined) return pick(projects, wanted);
  const [only, ...others] = projects;
  if (only === undefined)
    throw new UsageError('There are no projects yet: run dctl init in the folder of one.');
  if (others.length === 0) return only;
  throw new UsageError(`Choose a project with --project: ${namesOf(projects)}.`);
}

/** What the environment or the folder says; undefined: nothing. */
export function projectNamed({ environment }: Shell, folder: string): string | undefined {
  return environment['DCTL_PROJECT'] || projectOfFolder(folder);
}

export async function allProjects(client: DctlClient): Promise<Project[]> {
  return allOf(client.items('listProjects', { query: { limit: 200 } }));
}

export function pick(projects: Project[], wanted: string): Project {
  const found = projects.find(({ id }) => id === wanted) ?? projects.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const names = projects.map(({ name }) => plain(name));
  throw new UsageError(
    `There is no project ${wanted}.${suggestion(wanted, names) || ` There are: ${namesOf(projects) || 'none'}.`}`,
  );
}

export function namesOf(things: { name: string }[]): string {
  const shown = things.slice(0, 10).map(({ name }) => plain(name));
  return things.length > shown.length ? `${shown.join(', ')} and others` : shown.join(', ');
}
