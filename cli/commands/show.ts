import { DctlError, type Run } from '../../client/index.ts';
import { command } from '../command.ts';
import { findRun, runArgument } from '../find/run.ts';
import { runProjectOption } from '../options.ts';
import { formatSeconds } from '../output/format.ts';
import { sayFailures, sayRun } from '../runs/describe-run.ts';
import { nameOfNode, nodesOf } from '../runs/nodes.ts';
import { styleOf } from '../runs/statuses.ts';
import { runAddress } from '../runs/wait.ts';
import type { Shell } from '../shell.ts';
import { shortDigest } from './deployments.ts';

export const show = command({
  name: 'show',
  summary: 'A run: what it ran, how it ended, what failed and why',
  arguments: { run: runArgument },
  options: { nodes: { about: "also list dbt's nodes" }, project: runProjectOption },
  async run(shell, given) {
    const { out } = shell;
    const run = await findRun(shell, given.run, given.project);
    const [nodes, place] = await Promise.all([
      given.nodes || run.nodes_failed > 0 ? nodesOf(shell.client(), run.id) : [],
      placeOf(shell, run),
    ]);
    out.answer(given.nodes ? { ...run, nodes } : run, () => {
      sayRun(run, place, out);
      sayFailures(run, nodes, out);
      if (given.nodes)
        out.table(
          ['NODE', 'KIND', 'STATUS', 'DURATION', 'ROWS'],
          nodes.map((node) => [
            nameOfNode(node),
            node.resource_type,
            { text: node.status, style: styleOf(node.status) },
            node.duration_seconds === null ? '' : formatSeconds(node.duration_seconds),
            node.rows_affected,
          ]),
        );
      out.say(`  ${out.paint('dim', runAddress(shell, run.id))}`);
    });
  },
});

/** Where it ran, in words. The project of an old run may be deleted. */
async function placeOf(
  shell: Shell,
  run: Run,
): Promise<{ deployment: string; environment: string | undefined }> {
  const client = shell.client();
  const { project_id, deployment_id, environment_id } = run;
  const unlessGone = (error: unknown) => {
    if (error instanceof DctlError) return undefined;
    throw error;
  };
  const [deployment, environment] = await Promise.all([
    client.call('getDeployment', { path: { project_id, deployment_id } }).catch(unlessGone),
    client.call('getEnvironment', { path: { project_id, environment_id } }).catch(unlessGone),
  ]);
  const digest = deployment === undefined ? '' : ` ${shortDigest(deployment)}`;
  return {
    deployment: deployment_id + digest,
    environment: environment?.name,
  };
}
