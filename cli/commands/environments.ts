import { command } from '../command.ts';
import { allEnvironments } from '../find/environment.ts';
import { findProject } from '../find/project.ts';
import { projectOption } from '../options.ts';

export const environments = command({
  name: 'environments',
  summary: "A project's environments: what dbt is run with",
  options: { project: projectOption },
  async run(shell, given) {
    const project = await findProject(shell, given.project);
    shell.out.list(await allEnvironments(shell, project), {
      none: `${project.name} has no environments yet: its first deployment creates production.`,
      heads: ['ENVIRONMENT', 'WAREHOUSE', 'TARGET', 'IMAGE', 'VARIABLES', 'ID'],
      row: ({ name, connection, target, runner_image: image, env_vars: variables, id }) => [
        name,
        connection === null ? 'profiles.yml' : String(connection['type']),
        target,
        image ?? 'default',
        Object.keys(variables).length,
        id,
      ],
    });
  },
});
