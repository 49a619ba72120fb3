/** What a hook may know of a run that has ended. */
export interface RunFacts {
  id: string;
  jobId: string;
  jobName: string;
  projectName: string;
  status: string;
  /** `job.completed`, `job.partial` or `job.failed`. */
  event: string;
  /** A whole number, however large. */
  rows: string;
  nodesFailed: number;
  /** The first of those, by their ids. */
  failedNodes: string[];
  durationMs: number | null;
  triggeredBy: string;
  command: string;
  cause: string | null;
  errorMessage: string | null;
  startedAt: Date | null;
  finishedAt: Date | null;
}

/** So many are named. */
export const shownFailedNodes = 50;

type Value = string | number | boolean | null;

/** `run` and `erathos` mean the same. Null: the run has no such thing. */
const values = {
  ID: (run) => run.id,
  EXECUTION_ID: (run) => run.id,
  JOB_ID: (run) => run.jobId,
  JOB_NAME: (run) => run.jobName,
  TABLE_NAME: (run) => run.jobName,
  PROJECT_NAME: (run) => run.projectName,
  STATUS: (run) => statusWords[run.status] ?? 'ERROR',
  EVENT: (run) => run.event,
  ROWS: (run) => run.rows,
  NESTED_TABLE: () => false,
  DURATION_SECONDS: (run) => run.durationMs && Math.round(run.durationMs) / 1_000,
  NODES_FAILED: (run) => run.nodesFailed,
  FAILED_NODES: (run) => failedNodes(run),
  TRIGGERED_BY: (run) => run.triggeredBy,
  COMMAND: (run) => run.command,
  CAUSE: (run) => run.cause,
  ERROR_MESSAGE: (run) => run.errorMessage,
  STARTED_AT: (run) => run.startedAt && run.startedAt.toISOString(),
  FINISHED_AT: (run) => run.finishedAt && run.finishedAt.toISOString(),
} satisfies Record<string, (run: RunFacts) => Value>;

export const runNames = Object.keys(values);

export const isRunName = (name: string): name is keyof typeof values => Object.hasOwn(values, name);

/** For rules: undefined where there is nothing. */
export function runValue(run: RunFacts, name: string): string | number | boolean | undefined {
  return isRunName(name) ? (values[name](run) ?? undefined) : undefined;
}

/** Longer ones are cut: a template may name one many times. */
const maxTextLength = 10_000;

/** For templates: nothing is an empty text. */
export function runText(run: RunFacts, name: string): string {
  return String(runValue(run, name) ?? '')
    .slice(0, maxTextLength)
    .toWellFormed();
}

const statusWords: Record<string, string> = {
  success: 'FINISHED',
  partial: 'PARTIAL',
  failed: 'FAILED',
  error: 'ERROR',
};

/** No more than an entry of a trigger's metadata holds, with what is said of the rest. */
const maxFailedNodesLength = 1_950;

function failedNodes({ nodesFailed, failedNodes: names }: RunFacts): string {
  const named: string[] = [];
  for (const name of names.slice(0, shownFailedNodes)) {
    if ([...named, name].join(', ').length > maxFailedNodesLength) break;
    named.push(name);
  }
  const more = nodesFailed - named.length;
  return [...named, ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}
