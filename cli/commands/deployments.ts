import { command } from '../command.ts';
import { findProject } from '../find/project.ts';
import { projectOption } from '../options.ts';
import { formatAgo, formatBytes } from '../output/format.ts';
import { take } from '../find/take.ts';
import { wholeNumber } from '../values.ts';

export const deployments = command({
  name: 'deployments',
  summary: "A project's deployments, the newest first",
  options: {
    limit: { about: 'so many at most (20)', value: 'N', short: 'n', parse: wholeNumber(1, 100_000) },
    project: projectOption,
  },
  async run(shell, given) {
    const { out } = shell;
    const project = await findProject(shell, given.project);
    const limit = given.limit ?? 20;
    const asked = { path: { project_id: project.id }, query: { limit: Math.min(limit, 200) } };
    const found = await take(limit, shell.client().items('listDeployments', asked));
    out.answer(found, () => {
      if (found.length === 0) out.say(`${project.name} has none yet: dctl deploy makes one.`);
      else
        out.table(
          ['', 'DEPLOYMENT', 'WHEN', 'BY', 'FILES', 'SIZE', 'DIGEST'],
          found.map((each) => [
            each.is_current ? { text: '*', style: 'green' } : '',
            each.id,
            formatAgo(each.created_at),
            each.deployed_by,
            each.file_count,
            formatBytes(each.size_bytes),
            each.digest.slice(0, 'sha256:'.length + 12),
          ]),
        );
    });
  },
});
