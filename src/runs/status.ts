/** Every value a run's `status` ever has. Callers wait for one of the last four. */
export const runStatuses = ['queued', 'running', 'success', 'partial', 'failed', 'error'] as const;
export type RunStatus = (typeof runStatuses)[number];

export const finalStatuses = ['success', 'partial', 'failed', 'error'] as const;
export type FinalStatus = (typeof finalStatuses)[number];

export function isFinal(status: string): status is FinalStatus {
  return (finalStatuses as readonly string[]).includes(status);
}

/** Why a run could not be brought to its end. Only with status `error`. */
export const statusReasons = [
  'cancelled',
  'timed_out',
  'out_of_memory',
  'killed',
  'image_not_found',
  'runtime_unavailable',
  'could_not_start',
  'container_lost',
  'engine_restarted',
  'worker_lost',
  'replaced',
  'gave_up',
] as const;
export type StatusReason = (typeof statusReasons)[number];

/** How dbt's nodes ended, counted. `succeeded` includes those with a warning. */
export interface NodeCounts {
  succeeded: number;
  failed: number;
  skipped: number;
}

/** How an execution ended, as the worker saw it. */
export type Outcome =
  /** dbt came to its own end. `error`: what it said when it could not go on. */
  | { kind: 'exited'; exitCode: number; error: string | null }
  /** Somebody asked for it, and dbt had not come to its own end. `by`: their name. `atWork`: dbt was stopped for it. */
  | { kind: 'cancelled'; by: string; atWork: boolean }
  | { kind: 'timed_out'; afterSeconds: number }
  | { kind: 'out_of_memory'; limitMb: number; exitCode: number }
  /** The process ended without a word: killed from outside, or crashed. */
  | { kind: 'killed'; exitCode: number }
  | {
      kind: 'could_not_start';
      reason: 'image_not_found' | 'runtime_unavailable' | 'could_not_start';
      why: string;
    }
  | { kind: 'container_lost' }
  /** The engine ended the container because it was itself restarted. */
  | { kind: 'engine_restarted' }
  /** No worker was there to end it, for longer than it may take. */
  | { kind: 'worker_lost' }
  /** A newer run of the same command took its place while it was queued. */
  | { kind: 'replaced'; by: string }
  /** Nothing was tried this time: each of so many workers before had to leave the run without an end. */
  | { kind: 'gave_up'; claims: number };

export interface Verdict {
  status: FinalStatus;
  statusReason: StatusReason | null;
  errorMessage: string | null;
}

/**
 * The one place where the end of an execution becomes the status of a run.
 * `firstFailure`: the first failed node and its message, in words.
 */
export function verdictOn(outcome: Outcome, nodes: NodeCounts, firstFailure: string | null): Verdict {
  switch (outcome.kind) {
    case 'exited':
      if (outcome.exitCode === 0 && nodes.failed === 0) {
        return { status: 'success', statusReason: null, errorMessage: null };
      }
      return {
        status: nodes.succeeded > 0 ? 'partial' : 'failed',
        statusReason: null,
        errorMessage: nodes.failed > 0 ? nodesSentence(nodes, firstFailure) : dbtSentence(outcome),
      };
    case 'cancelled':
      return stopped('cancelled', `The run was cancelled by ${outcome.by}.`);
    case 'timed_out':
      return stopped('timed_out', `The run was ended after ${outcome.afterSeconds} s, its job's timeout.`);
    case 'out_of_memory':
      return stopped(
        'out_of_memory',
        `The run ran out of memory: its limit is ${outcome.limitMb} MB (exit code ${outcome.exitCode}).`,
      );
    case 'killed':
      return stopped(
        'killed',
        `The run's process ended before its work was done (exit code ${outcome.exitCode}).`,
      );
    case 'could_not_start':
      return stopped(outcome.reason, outcome.why);
    case 'container_lost':
      return stopped('container_lost', "The run's container disappeared before its result was read.");
    case 'engine_restarted':
      return stopped(
        'engine_restarted',
        'The Docker engine was restarted while the run executed, and ended it.',
      );
    case 'worker_lost':
      return stopped(
        'worker_lost',
        'No worker was there for longer than the run may take, so how it ended is not known.',
      );
    case 'replaced':
      return stopped(
        'replaced',
        `A newer run of the same command took its place while it was queued: ${outcome.by}.`,
      );
    case 'gave_up':
      return stopped(
        'gave_up',
        `Workers took the run on ${outcome.claims} times and could not end it: their logs say why.`,
      );
  }
}

function nodesSentence({ succeeded, failed, skipped }: NodeCounts, firstFailure: string | null): string {
  const also = skipped > 0 ? `, ${skipped} skipped` : '';
  const first = firstFailure === null ? '.' : `: ${firstFailure}`;
  return `${failed} of ${succeeded + failed + skipped} nodes failed${also}${first}`;
}

function dbtSentence({ exitCode, error }: { exitCode: number; error: string | null }): string {
  return error ?? `dbt ended with exit code ${exitCode}.`;
}

function stopped(statusReason: StatusReason, errorMessage: string): Verdict {
  return { status: 'error', statusReason, errorMessage };
}

/** The outbound event that tells of a final status. */
export function eventOf(status: FinalStatus): 'job.completed' | 'job.partial' | 'job.failed' {
  switch (status) {
    case 'success':
      return 'job.completed';
    case 'partial':
      return 'job.partial';
    case 'failed':
    case 'error':
      return 'job.failed';
  }
}

/** dbt's words, of nodes, tests and source freshness alike. Every other word is a failure. */
const outcomeOfWord = new Map<string, keyof NodeCounts | 'queued' | 'running'>([
  ['queued', 'queued'],
  ['started', 'running'],
  ['success', 'succeeded'],
  ['pass', 'succeeded'],
  ['warn', 'succeeded'],
  ['no-op', 'succeeded'],
  ['reused', 'succeeded'],
  ['skipped', 'skipped'],
]);

/** The statuses of nodes that have not failed. */
export const unfailedNodeStatuses: readonly string[] = [...outcomeOfWord.keys()];

/** The statuses of nodes that have ended well. */
export const succeededNodeStatuses: readonly string[] = [...outcomeOfWord]
  .filter(([, outcome]) => outcome === 'succeeded')
  .map(([word]) => word);

/** How a node's own status counts. */
export function nodeOutcome(status: string): keyof NodeCounts | 'queued' | 'running' {
  return outcomeOfWord.get(status) ?? 'failed';
}

/** The message of a node that was to be worked on, and whose run ended before. */
export const neverBegan = 'The run ended before this node began.';

export const noNodes: NodeCounts = { succeeded: 0, failed: 0, skipped: 0 };

/** Adds up rows of a status and how many nodes have it. `queued`: were to be worked on and have not begun. */
export function tallyNodes(
  rows: { status: string; count: number }[],
): NodeCounts & { queued: number; running: number } {
  const nodes = { succeeded: 0, failed: 0, skipped: 0, queued: 0, running: 0 };
  for (const { status, count } of rows) nodes[nodeOutcome(status)] += count;
  return nodes;
}
