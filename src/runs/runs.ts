import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { decodeCursor, pageOf, unknownCursor } from '../paging.ts';
import { requireArtifactsStored } from './pending-artifacts.ts';
import type { artifactList, nodeList, NodeQuery, runList, RunQuery, runView } from './schema.ts';
import { isFinal, tallyNodes, type RunStatus } from './status.ts';
import { findShownRun, listShownRuns, type ShownRun } from './shown-runs.ts';
import { requireStep, viewSteps } from './steps.ts';
import { findRun, listArtifacts, listNodes, type NodePosition } from './store.ts';

export type RunView = z.input<typeof runView>;

export async function getRun({ pool }: Context, { organizationId }: Principal, id: string): Promise<RunView> {
  const run = await findShownRun(pool, organizationId, id);
  if (run === undefined) throw noSuchRun();
  return view(run);
}

/** The organization's runs, newest first. */
export async function runsOf(
  { pool }: Context,
  { organizationId }: Principal,
  { limit, cursor, ...filters }: RunQuery,
): Promise<z.input<typeof runList>> {
  const rows = await listShownRuns(pool, organizationId, filters, decodeCursor(cursor), limit + 1);
  return pageOf(rows, limit, view);
}

/** Stands for "no time yet" in a cursor: no node has started then. */
const noTime = '9999-12-31T23:59:59.999Z';

/** What became of each of dbt's nodes, in the order they started. */
export async function nodesOf(
  context: Context,
  principal: Principal,
  runId: string,
  { step, limit, cursor }: NodeQuery,
): Promise<z.input<typeof nodeList>> {
  requireStep(await requireRun(context, principal, runId), step);
  const nodes = await listNodes(context.db, runId, step, nodePosition(cursor), limit + 1);
  const rows = nodes.map((node) => ({
    ...node,
    id: `${node.step} ${node.uniqueId}`,
    createdAt: node.startedAt ?? new Date(noTime),
  }));
  return pageOf(rows, limit, (node) => ({
    step: node.step,
    unique_id: node.uniqueId,
    resource_type: node.resourceType,
    status: node.status,
    start_time: node.startedAt?.toISOString() ?? null,
    end_time: node.finishedAt?.toISOString() ?? null,
    duration_seconds: node.durationSeconds,
    rows_affected: node.rowsAffected === null ? null : Number(node.rowsAffected),
    message: node.message,
    thread: node.thread,
  }));
}

/** Of a cursor that this file made: `nodesOf` puts the step before the node's id. */
function nodePosition(cursor: string | undefined): NodePosition | undefined {
  const position = decodeCursor(cursor);
  if (position === undefined) return undefined;
  const [, step, uniqueId] = /^(\d{1,4}) (.*)$/s.exec(position.id) ?? [];
  if (step === undefined || uniqueId === undefined) throw unknownCursor();
  const startedAt = position.createdAt === noTime ? null : position.createdAt;
  return { step: Number(step), startedAt, uniqueId };
}

export async function artifactsOf(
  context: Context,
  principal: Principal,
  runId: string,
  step: number | undefined,
): Promise<z.input<typeof artifactList>> {
  const run = await requireKeptRun(context, principal, runId);
  requireStep(run, step);
  await requireArtifactsStored(context, run);
  const artifacts = await listArtifacts(context.db, runId, step);
  return {
    data: artifacts.map(({ path, sizeBytes, ...row }) => ({
      path,
      size_bytes: Number(sizeBytes),
      step: row.step,
    })),
    next_cursor: null,
  };
}

/** The run, or `not_found` when it is not there or another organization's. */
export async function requireRun({ db }: Context, { organizationId }: Principal, id: string) {
  const run = await findRun(db, organizationId, id);
  if (run === null) throw noSuchRun();
  return run;
}

/** The run, or `not_found`, or `gone` when its log and artifacts were removed. */
export async function requireKeptRun(context: Context, principal: Principal, id: string) {
  const run = await requireRun(context, principal, id);
  if (run.clearedAt === null) return run;
  const days = Math.floor((run.clearedAt.getTime() - (run.finishedAt?.getTime() ?? 0)) / 86_400_000);
  throw new AppError(
    'gone',
    `The run's log and artifacts were removed ${days} ${days === 1 ? 'day' : 'days'} after it ended, as the organization's retention says.`,
  );
}

function noSuchRun(): AppError {
  return new AppError('not_found', 'There is no such run.');
}

function view(run: ShownRun): RunView {
  const nodes = tallyNodes(run.counts);
  const done = nodes.succeeded + nodes.failed + nodes.skipped;
  return {
    id: run.id,
    name: run.name,
    job_id: run.jobId,
    project_id: run.projectId,
    deployment_id: run.deploymentId,
    environment_id: run.environmentId,
    status: run.status as RunStatus,
    status_reason: run.statusReason as RunView['status_reason'],
    error_message: run.errorMessage,
    command: run.command,
    command_override: run.commandOverride,
    triggered_by: run.triggeredBy as RunView['triggered_by'],
    requested_by: run.requestedBy,
    cause: run.cause,
    metadata: run.metadata,
    created_at: run.createdAt.toISOString(),
    start_time: run.startedAt?.toISOString() ?? null,
    end_time: run.finishedAt?.toISOString() ?? null,
    duration_seconds: run.durationMs === null ? null : run.durationMs / 1_000,
    exit_code: run.exitCode,
    // Hooks are no part of the total that dbt tells, but they have results.
    nodes_total: run.nodesTotal === null ? null : Math.max(run.nodesTotal, done),
    nodes_done: done,
    nodes_succeeded: nodes.succeeded,
    nodes_failed: nodes.failed,
    nodes_skipped: nodes.skipped,
    log_bytes: run.logBytes,
    log_truncated: run.logTruncated,
    steps: viewSteps(run, run.begun, run.counts),
    attempt: run.attempt,
    retry_of: run.retryOf,
    retried_by: run.retriedBy,
    after_run: run.afterRun,
    scheduled_for: run.scheduledFor?.toISOString() ?? null,
    not_before: run.notBefore?.toISOString() ?? null,
    replaced_by: run.replacedBy,
    interruption: interruptionOf(run),
    cancel_requested_at: run.cancelRequestedAt?.toISOString() ?? null,
    cancelled_by: run.cancelledBy,
    artifacts_ready: isFinal(run.status) && !run.artifactsPending,
    cleared_at: run.clearedAt?.toISOString() ?? null,
  };
}

function interruptionOf(run: ShownRun): RunView['interruption'] {
  if (run.interruptedAt === null && run.killedAt === null) return null;
  return {
    signal_sent_at: run.interruptedAt?.toISOString() ?? null,
    kill_sent_at: run.killedAt?.toISOString() ?? null,
    last_words: run.lastWords,
    container_gone_at: run.containerGoneAt?.toISOString() ?? null,
  };
}
