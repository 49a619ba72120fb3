import { command } from '../command.ts';
import { UsageError } from '../failure.ts';
import { findProject } from '../find/project.ts';
import { projectOption } from '../options.ts';

export const deploymentsActivate = command({
  name: 'deployments activate',
  summary: 'Use an earlier deployment, or a later one again, for runs from now on',
  arguments: { deployment: { about: "a deployment's id, or previous: the one before the current" } },
  options: { project: projectOption },
  async run(shell, given) {
    const { out } = shell;
    const client = shell.client();
    const project = await findProject(shell, given.project);
    let wanted = given.deployment;
    if (wanted === 'previous') {
      const { data } = await client.call('listDeployments', {
        path: { project_id: project.id },
        query: { limit: 200 },
      });
      const current = data.findIndex(({ is_current: isCurrent }) => isCurrent);
      const previous = data[current + 1];
      if (current === -1 || previous === undefined)
        throw new UsageError(`There is no deployment before the current one of ${project.name}.`);
      wanted = previous.id;
    }
    const path = { project_id: project.id, deployment_id: wanted };
    const activated = await client.call('activateDeployment', { path });
    out.answer(activated, () =>
      out.say(`Runs of ${project.name} use ${activated.id} from now on, deployed ${activated.created_at}.`),
    );
  },
});
