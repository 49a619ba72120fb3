import { command } from '../command.ts';
import { allProjects } from '../find/project.ts';
import { formatAgo } from '../output/format.ts';

export const projects = command({
  name: 'projects',
  summary: 'The projects',
  async run(shell) {
    shell.out.list(await allProjects(shell.client()), {
      none: 'There are no projects yet: run dctl init in the folder of one.',
      heads: ['PROJECT', 'TYPE', 'JOBS', 'DEPLOYED', 'ID'],
      row: ({ name, type, jobs, deployment, id }) => [
        name,
        type,
        jobs.length,
        deployment === null ? 'never' : `${formatAgo(deployment.since)} by ${deployment.by}`,
        id,
      ],
    });
  },
});
