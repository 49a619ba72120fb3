import type { Environment, Project } from '../../client/index.ts';
import type { Shell } from '../shell.ts';
import { findEnvironment } from './environment.ts';
import { findProject } from './project.ts';

export interface FoundEnvironment {
  project: Project;
  environment: Environment;
  /** As the paths of the API name it. */
  path: { project_id: string; environment_id: string };
}

/** The environment that --project and --environment mean. */
export async function environmentOf(
  shell: Shell,
  given: { project: string | undefined; environment: string | undefined },
): Promise<FoundEnvironment> {
  const project = await findProject(shell, given.project);
  const environment = await findEnvironment(shell, project, given.environment);
  return { project, environment, path: { project_id: project.id, environment_id: environment.id } };
}
