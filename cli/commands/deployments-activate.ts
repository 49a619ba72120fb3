import type { Project } from '../../client/index.ts';
import { command } from '../command.ts';
import { UsageError } from '../failure.ts';
import { findProject } from '../find/project.ts';
import { take } from '../find/take.ts';
import { projectOption } from '../options.ts';
import { formatAgo } from '../output/format.ts';
import type { Shell } from '../shell.ts';

export const deploymentsActivate = command({
  name: 'deployments activate',
  summary: 'Make another deployment the current one',
  arguments: { deployment: { about: "a deployment's id" } },
  options: { project: projectOption },
  async run(shell, given) {
    await activate(shell, await findProject(shell, given.project), given.deployment);
  },
});

export const deploymentsRollBack = command({
  name: 'deployments roll-back',
  summary: 'Go back to the deployment before the current one',
  options: { project: projectOption },
  async run(shell, given) {
    const project = await findProject(shell, given.project);
    const asked = { path: { project_id: project.id }, query: { limit: 200 } };
    const all = await take(1_000, shell.client().items('listDeployments', asked));
    const current = all.findIndex(({ is_current: isCurrent }) => isCurrent);
    const previous = current === -1 ? undefined : all[current + 1];
    if (previous === undefined)
      throw new UsageError(`There is no deployment before the current one of ${project.name}.`);
    await activate(shell, project, previous.id);
  },
});

async function activate(shell: Shell, { id, name }: Project, deploymentId: string): Promise<void> {
  const { out } = shell;
  const path = { project_id: id, deployment_id: deploymentId };
  const activated = await shell.client().call('activateDeployment', { path });
  const { created_at: at, deployed_by: by } = activated;
  out.answer(activated, () =>
    out.say(`Runs of ${name} use ${activated.id} from now on, deployed ${formatAgo(at)} by ${by}.`),
  );
}
