import { command } from '../command.ts';
import { allProjects } from '../find/project.ts';
import { formatAgo } from '../output/format.ts';

export const projects = command({
  name: 'projects',
  summary: 'The projects',
  async run(shell) {
    const { out } = shell;
    const found = await allProjects(shell.client());
    out.answer(found, () => {
      if (found.length === 0) out.say('There is no project yet: dctl init, in the folder of one.');
      else
        out.table(
          ['PROJECT', 'TYPE', 'JOBS', 'DEPLOYED', 'ID'],
          found.map(({ name, type, jobs, deployment, id }) => [
            name,
            type,
            jobs.length,
            deployment === null ? 'never' : `${formatAgo(deployment.since)} by ${deployment.by}`,
            id,
          ]),
        );
    });
  },
});
