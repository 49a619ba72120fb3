import type { NodeResult, Run } from '../../client/index.ts';
import { countOf, formatAgo, formatSeconds, formatTime } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { plain } from '../output/plain.ts';
import { nameOfNode } from './nodes.ts';
import { isFailure, styleOf } from './statuses.ts';

const shownFailures = 20;

/** `success in 4.2 s, 12 nodes` */
export function outcomeOf(run: Run, out: Output): string {
  const duration = run.duration_seconds === null ? '' : ` in ${formatSeconds(run.duration_seconds)}`;
  return `${out.paint(styleOf(run.status), statusOf(run))}${duration}${nodeCounts(run)}`;
}

/** A run that could not be brought to its end says why in a word. */
export function statusOf({ status, status_reason: reason }: Run): string {
  return reason === null ? status : `${status} (${reason})`;
}

function nodeCounts({ nodes_total: total, nodes_succeeded, nodes_failed, nodes_skipped }: Run): string {
  if (total === null) return '';
  if (nodes_failed + nodes_skipped === 0) return `, ${countOf(total, 'node')}`;
  const counts = [
    [nodes_succeeded, 'succeeded'],
    [nodes_failed, 'failed'],
    [nodes_skipped, 'skipped'],
  ] as const;
  return `, of ${countOf(total, 'node')} ${counts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(', ')}`;
}

/** What went wrong, and where. */
export function sayFailures(run: Run, nodes: NodeResult[], out: Output): void {
  const failed = nodes.filter(({ status }) => isFailure(status));
  // Of failed nodes it says no more than they do themselves.
  const isSaidByNodes = failed.length > 0 && run.status_reason === null;
  if (run.error_message !== null && !isSaidByNodes) out.say(`  ${plain(run.error_message)}`);
  for (const node of failed.slice(0, shownFailures)) {
    out.say(`  ${out.paint('red', '✗')} ${plain(`${node.resource_type} ${nameOfNode(node)}`)}`);
    for (const line of (node.message ?? '')
      .split('\n')
      .filter((each) => each.trim() !== '')
      .slice(0, 6))
      out.say(`      ${plain(line)}`);
  }
  if (failed.length > shownFailures) out.say(`  and ${failed.length - shownFailures} more`);
}

/** All that is known of a run, but its nodes. `place`: what the ids of its deployment and environment stand for. */
export function sayRun(
  run: Run,
  place: { deployment: string; environment: string | undefined },
  out: Output,
): void {
  const rows: [string, string | null][] = [
    ['Run', run.id],
    ['Command', run.command_override ?? run.command],
    ['Cause', run.cause === null ? run.triggered_by : `${run.cause} (${run.triggered_by})`],
    ['Triggered by', run.requested_by],
    ['Created', formatAgo(run.created_at)],
    ['Deployment', place.deployment],
    ['Environment', place.environment ?? run.environment_id],
    ['Metadata', run.metadata === null ? null : JSON.stringify(run.metadata)],
    ['Retry of', run.retry_of],
    ['Retried by', run.retried_by],
    ['After run', run.after_run],
    ['Waits until', run.not_before === null ? null : formatTime(run.not_before)],
    ['Cancelled by', run.cancelled_by],
    ['Replaced by', run.replaced_by],
  ];
  out.say(`${out.paint('bold', plain(run.name))}  ${outcomeOf(run, out)}`);
  for (const [head, value] of rows)
    if (value !== null) out.say(`  ${out.paint('dim', head.padEnd(12))} ${plain(value)}`);
  if (run.steps.length > 1)
    for (const { number, command, status } of run.steps)
      out.say(
        `  ${out.paint('dim', `Step ${number}`.padEnd(12))} ${out.paint(styleOf(status), status)}  ${plain(command)}`,
      );
}
