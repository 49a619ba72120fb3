import type { Run } from './operations.ts';

/** What dbt does to nodes: with these it tells how many there are. */
const onNodes = new Set(['build', 'run', 'test', 'seed', 'snapshot', 'compile', 'clone', 'retry']);

/** What a run does before its first node. Undefined once it has nodes, and for one that does not execute. */
export function phaseOf({ status, nodes_total: total, steps }: Run): string | undefined {
  if (status !== 'running' || (total ?? 0) > 0) return undefined;
  const step = steps.find((each) => each.status === 'running');
  if (step === undefined)
    return steps.every((each) => each.status === 'queued') ? 'starting the container' : undefined;
  return isOnNodes(step.command) ? 'starting dbt' : step.command;
}

/** It ended well because there was nothing to do, which is seldom what was meant. */
export function hasSelectedNothing({ status, nodes_total: total, steps }: Run): boolean {
  return status === 'success' && total === 0 && steps.some(({ command }) => isOnNodes(command));
}

function isOnNodes(command: string): boolean {
  const [program, verb = ''] = command.split(/\s+/).filter((word) => !word.startsWith('-'));
  return program === 'dbt' && onNodes.has(verb);
}
