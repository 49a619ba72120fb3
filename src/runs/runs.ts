import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import type { artifactList, nodeList, runList, runView } from './schema.ts';
import { tallyNodes, type RunStatus } from './status.ts';
import { countNodesByStatus, findRun, listArtifacts, listNodes, listRuns } from './store.ts';

type RunView = z.input<typeof runView>;

export async function getRun({ db }: Context, { organizationId }: Principal, id: string): Promise<RunView> {
  const [run, counts] = await Promise.all([findRun(db, organizationId, id), countNodesByStatus(db, [id])]);
  if (run === null) throw noSuchRun();
  return view(run, counts);
}

/** The organization's runs, newest first. */
export async function runsOf(
  { db }: Context,
  { organizationId }: Principal,
  page: { limit: number; cursor?: string | undefined },
): Promise<z.input<typeof runList>> {
  const rows = await listRuns(db, organizationId, decodeCursor(page.cursor), page.limit + 1);
  const ids = rows.map((row) => row.id);
  const counts = await countNodesByStatus(db, ids);
  return pageOf(rows, page.limit, (row) =>
    view(
      row,
      counts.filter(({ runId }) => runId === row.id),
    ),
  );
}

/** Stands for "no time yet" in a cursor: no node has started then. */
const noTime = '9999-12-31T23:59:59.999Z';

/** What became of each of dbt's nodes, in the order they started. */
export async function nodesOf(
  context: Context,
  principal: Principal,
  runId: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<z.input<typeof nodeList>> {
  await requireRun(context, principal, runId);
  const position = decodeCursor(page.cursor);
  const after = position && {
    startedAt: position.createdAt === noTime ? null : position.createdAt,
    uniqueId: position.id,
  };
  const nodes = await listNodes(context.db, runId, after, page.limit + 1);
  const rows = nodes.map((node) => ({
    ...node,
    id: node.uniqueId,
    createdAt: node.startedAt ?? new Date(noTime),
  }));
  return pageOf(rows, page.limit, (node) => ({
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

export async function artifactsOf(
  context: Context,
  principal: Principal,
  runId: string,
): Promise<z.input<typeof artifactList>> {
  await requireRun(context, principal, runId);
  const artifacts = await listArtifacts(context.db, runId);
  return {
    data: artifacts.map(({ path, sizeBytes }) => ({ path, size_bytes: Number(sizeBytes) })),
    next_cursor: null,
  };
}

/** The run, or `not_found` when it is not there or another organization's. */
export async function requireRun({ db }: Context, { organizationId }: Principal, id: string) {
  const run = await findRun(db, organizationId, id);
  if (run === null) throw noSuchRun();
  return run;
}

function noSuchRun(): AppError {
  return new AppError('not_found', 'There is no such run.');
}

type StoredRun = NonNullable<Awaited<ReturnType<typeof findRun>>>;

function view(run: StoredRun, counts: { status: string; count: number }[]): RunView {
  const nodes = tallyNodes(counts);
  const done = nodes.succeeded + nodes.failed + nodes.skipped;
  return {
    id: run.id,
    name: run.name,
    job_id: run.jobId,
    project_id: run.projectId,
    deployment_id: run.deploymentId,
    status: run.status as RunStatus,
    status_reason: run.statusReason as RunView['status_reason'],
    error_message: run.errorMessage,
    command: run.command,
    command_override: run.commandOverride,
    triggered_by: run.triggeredBy as RunView['triggered_by'],
    cause: run.cause,
    metadata: run.metadata as RunView['metadata'],
    created_at: run.createdAt.toISOString(),
    start_time: run.startedAt?.toISOString() ?? null,
    end_time: run.finishedAt?.toISOString() ?? null,
    duration_seconds: run.durationMs === null ? null : Number(run.durationMs) / 1_000,
    exit_code: run.exitCode,
    // Hooks are no part of the total that dbt tells, but they have results.
    nodes_total: run.nodesTotal === null ? null : Math.max(run.nodesTotal, done),
    nodes_done: done,
    nodes_succeeded: nodes.succeeded,
    nodes_failed: nodes.failed,
    nodes_skipped: nodes.skipped,
    log_bytes: Number(run.logBytes),
    log_truncated: run.logTruncated,
  };
}
