import { command } from '../command.ts';
import { findProject } from '../find/project.ts';
import { limitOption, projectOption } from '../options.ts';
import { formatAgo, formatBytes } from '../output/format.ts';
import { newest } from '../find/take.ts';

export const deployments = command({
  name: 'deployments',
  summary: "A project's deployments, the newest first",
  options: {
    limit: limitOption,
    project: projectOption,
  },
  async run(shell, given) {
    const project = await findProject(shell, given.project);
    const client = shell.client();
    const path = { project_id: project.id };
    const found = await newest(given.limit, (query) => client.items('listDeployments', { path, query }));
    shell.out.list(found, {
      none: `${project.name} has no deployments yet: dctl deploy creates one.`,
      heads: ['', 'DEPLOYMENT', 'WHEN', 'BY', 'FILES', 'SIZE', 'DIGEST'],
      row: (each) => [
        each.is_current ? { text: '*', style: 'green' } : '',
        each.id,
        formatAgo(each.created_at),
        each.deployed_by,
        each.file_count,
        formatBytes(each.size_bytes),
        shortDigest(each),
      ],
    });
  },
});

/** As much of it as tells one from another. */
export function shortDigest({ digest }: { digest: string }): string {
  return digest.slice(0, 'sha256:'.length + 12);
}
