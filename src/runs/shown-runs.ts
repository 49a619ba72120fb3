import type pg from 'pg';
import { statement } from '../db.ts';
import type { Position } from '../paging.ts';
import type { RunOverrides, RunQuery } from './schema.ts';
import { runStatuses } from './status.ts';

/** What is shown of a run, as a single one and in lists. */
export interface ShownRun {
  id: string;
  /** What clients that know integers alone call it. */
  number: number;
  name: string;
  jobId: string;
  projectId: string;
  deploymentId: string;
  environmentId: string;
  status: string;
  statusReason: string | null;
  errorMessage: string | null;
  command: string;
  commandOverride: string | null;
  triggeredBy: string;
  requestedBy: string | null;
  cause: string | null;
  metadata: Record<string, string | number | boolean> | null;
  createdAt: Date;
  startedAt: Date | null;
  /** When its container was started, or was about to be. */
  launchedAt: Date | null;
  finishedAt: Date | null;
  durationMs: number | null;
  exitCode: number | null;
  nodesTotal: number | null;
  logBytes: number;
  logTruncated: boolean;
  attempt: number;
  retryOf: string | null;
  afterRun: string | null;
  scheduledFor: Date | null;
  notBefore: Date | null;
  replacedBy: string | null;
  interruptedAt: Date | null;
  killedAt: Date | null;
  lastWords: string[];
  containerGoneAt: Date | null;
  cancelRequestedAt: Date | null;
  cancelledBy: string | null;
  clearedAt: Date | null;
  artifactsPending: boolean;
  settings: { steps: unknown; overrides: RunOverrides | null };
  /** How many nodes of which step have which status. */
  counts: { step: number; status: string; count: number }[];
  /** The steps that have begun, in their order. */
  begun: BegunStep[];
  /** The newest run that retries it. */
  retriedBy: string | null;
}

/** What is stored of a step that has begun, or whose part of the log has. */
export interface BegunStep {
  number: number;
  status: string;
  exitCode: number | null;
  errorMessage: string | null;
  /** Null: nobody has said that it began. */
  startedAt: Date | null;
  finishedAt: Date | null;
}

/** Of one snapshot: who sees that a run has ended sees all that its end settled. */
const shown = `runs.id, number::float8 AS number, name, job_id AS "jobId", project_id AS "projectId", deployment_id AS "deploymentId",
  environment_id AS "environmentId", status, status_reason AS "statusReason", error_message AS "errorMessage", command,
  command_override AS "commandOverride", triggered_by AS "triggeredBy", requested_by AS "requestedBy", cause, metadata,
  created_at AS "createdAt", started_at AS "startedAt", launched_at AS "launchedAt",
  finished_at AS "finishedAt", duration_ms::float8 AS "durationMs", exit_code AS "exitCode", nodes_total AS "nodesTotal",
  log_bytes::float8 AS "logBytes", log_truncated AS "logTruncated", attempt, retry_of AS "retryOf",
  after_run AS "afterRun", scheduled_for AS "scheduledFor", not_before AS "notBefore", replaced_by AS "replacedBy",
  interrupted_at AS "interruptedAt", killed_at AS "killedAt", last_words AS "lastWords",
  container_gone_at AS "containerGoneAt", cancel_requested_at AS "cancelRequestedAt", cancelled_by AS "cancelledBy",
  cleared_at AS "clearedAt", artifacts_pending AS "artifactsPending",
  jsonb_build_object('steps', settings -> 'steps', 'overrides', settings -> 'overrides') AS settings,
  ARRAY(
    SELECT jsonb_build_object('step', step, 'status', node_results.status, 'count', count(*)) FROM node_results
    WHERE run_id = runs.id GROUP BY step, node_results.status) AS counts,
  ARRAY(
    SELECT jsonb_build_object('number', number, 'status', run_steps.status, 'exitCode', run_steps.exit_code,
      'errorMessage', run_steps.error_message, 'startedAt', run_steps.started_at, 'finishedAt', run_steps.finished_at)
    FROM run_steps WHERE run_id = runs.id ORDER BY number) AS begun,
  (SELECT id FROM runs AS retries WHERE retries.retry_of = runs.id ORDER BY created_at DESC, id DESC LIMIT 1)
    AS "retriedBy"`;

type StoredRow = Omit<ShownRun, 'begun'> & {
  begun: (Omit<BegunStep, 'startedAt' | 'finishedAt'> & Record<'startedAt' | 'finishedAt', string | null>)[];
};

function asShown({ begun, ...run }: StoredRow): ShownRun {
  return { ...run, begun: begun.map(withTimes) };
}

/** A step that came out of Postgres in JSON, which knows no times. */
export function withTimes<Step extends Record<'startedAt' | 'finishedAt', string | null>>({
  startedAt,
  finishedAt,
  ...step
}: Step) {
  return {
    ...step,
    startedAt: startedAt === null ? null : new Date(startedAt),
    finishedAt: finishedAt === null ? null : new Date(finishedAt),
  };
}

const shownRun = statement<StoredRow>(
  'shown run',
  `SELECT ${shown} FROM runs WHERE id = $1 AND organization_id = $2`,
);

export async function findShownRun(
  pool: pg.Pool,
  organizationId: string,
  id: string,
): Promise<ShownRun | undefined> {
  const [row] = await shownRun(pool, [id, organizationId]);
  return row && asShown(row);
}

/** The organization's runs that the filters name, the newest first. */
export async function listShownRuns(
  pool: pg.Pool,
  organizationId: string,
  filters: Omit<RunQuery, 'limit' | 'cursor'>,
  after: Position | undefined,
  limit: number,
): Promise<ShownRun[]> {
  const { name, text, values } = listOf(organizationId, filters, after, limit);
  return (await statement<StoredRow>(name, text)(pool, values)).map(asShown);
}

/**
 * Reads ranges of an index from where the page begins, whatever the filters: of several statuses, or of a job's runs with
 * all statuses, one range each, which are then put together. There are as many texts as there are sets of filters.
 */
export function listOf(
  organizationId: string,
  filters: Omit<RunQuery, 'limit' | 'cursor'>,
  after: Position | undefined,
  limit: number,
): { name: string; text: string; values: unknown[] } {
  const { job_id: jobId, status: statuses = jobId === undefined ? undefined : runStatuses } = filters;
  const before = filters.created_before;
  const given: [string, unknown[]][] = [
    ['organization_id = ?', [organizationId]],
    ['project_id = ?', [filters.project_id]],
    ['job_id = ?', [jobId]],
    ['environment_id = ?', [filters.environment_id]],
    ['triggered_by = ANY(?)', [filters.triggered_by]],
    ['created_at >= ?', [filters.created_after]],
    // One end of the range alone: what comes after a page is older than all of it.
    [
      'created_at < ?',
      [after !== undefined && before && after.createdAt < before.toISOString() ? undefined : before],
    ],
    ['(created_at, id) < (?::timestamptz, ?)', [after?.createdAt, after?.id]],
  ];
  const values: unknown[] = [limit];
  const place = (value: unknown) => `$${values.push(value)}`;
  const isGiven = ([, wanted]: [string, unknown[]]) => wanted.every((value) => value !== undefined);
  const conditions = given
    .filter(isGiven)
    .map(([condition, wanted]) =>
      wanted.reduce<string>((text, value) => text.replace('?', () => place(value)), condition),
    );
  const inOrder = 'ORDER BY created_at DESC, id DESC LIMIT $1';
  const range = `SELECT * FROM runs WHERE ${conditions.join(' AND ')}`;
  const found =
    statuses === undefined
      ? `${range} ${inOrder}`
      : `SELECT of_status.* FROM unnest(${place(statuses)}::text[]) AS wanted (status)
        CROSS JOIN LATERAL (${range} AND runs.status = wanted.status ${inOrder}) AS of_status ${inOrder}`;
  const text = `SELECT ${shown} FROM (${found}) AS runs ORDER BY created_at DESC, id DESC`;
  const filled = [...given.map(isGiven), statuses !== undefined].map(Number).join('');
  return { name: `list runs ${filled}`, text, values };
}
