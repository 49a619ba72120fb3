import { command } from '../command.ts';
import { findRun, runArgument } from '../find/run.ts';
import { formatSeconds } from '../output/format.ts';
import { sayFailures, sayRun } from '../runs/describe-run.ts';
import { nameOfNode, nodesOf } from '../runs/nodes.ts';
import { styleOf } from '../runs/statuses.ts';
import { runAddress } from '../runs/wait.ts';

export const show = command({
  name: 'show',
  summary: 'A run: what it ran, how it ended, what failed and why',
  arguments: { run: runArgument },
  options: { nodes: { about: "each of dbt's nodes too" } },
  async run(shell, given) {
    const { out } = shell;
    const run = await findRun(shell, given.run);
    const nodes = given.nodes || run.nodes_failed > 0 ? await nodesOf(shell.client(), run.id) : [];
    out.answer(given.nodes ? { ...run, nodes } : run, () => {
      sayRun(run, out);
      sayFailures(run, nodes, out);
      if (given.nodes)
        out.table(
          ['NODE', 'KIND', 'STATUS', 'TOOK', 'ROWS'],
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
