import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import type { Database, Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { jobToRun, type JobToRun } from '../jobs/job-to-run.ts';
import { newRun, type Occasion } from './new-run.ts';
import { planRetry, type RetryPlan } from './plan-retry.ts';
import { requireArtifactsStored } from './pending-artifacts.ts';
import { requireRun } from './runs.ts';
import { runSettings, type RetryRequest, type triggered } from './schema.ts';
import { isFinal } from './status.ts';
import { findRetryAtWork, type NewRun } from './store.ts';
import { answerOf, canonical, insertOrRefuse, recordOnce, requireEnabled } from './trigger.ts';

/**
 * Records a run of what a run has left undone. It answers like a trigger, and is one in all else. `asked`: what the key
 * stands for.
 */
export async function retryRun(
  context: Context,
  principal: Principal,
  runId: string,
  request: RetryRequest,
  idempotencyKey: string | undefined,
  asked: unknown = retryAsked(runId, request),
): Promise<z.input<typeof triggered>> {
  const { db, doorbell, log } = context;
  const startedAt = performance.now();
  const parent = await requireRun(context, principal, runId);
  requireUndone(parent.status);
  await requireArtifactsStored(context, parent);
  const job = await jobOf(db, parent);
  requireEnabled(job);
  const run = retryOf(parent, job, requirePlan(await planRetry(db, parent)), {
    requestedBy: principal.actor.name,
    actor: principal.actor,
    cause: request.cause,
    metadata: request.metadata,
    hasKey: idempotencyKey !== undefined,
  });
  const insert = (given: Database | Transaction) =>
    given === db
      ? db.$transaction((tx) => insertAlone(tx, runId, run), { maxWait: 5_000 })
      : insertAlone(given, runId, run);
  const recorded = await recordOnce(context, run, asked, idempotencyKey, insert);
  if (recorded.id === run.id) {
    log.info({ run: run.id, retryOf: runId }, 'retry queued');
    await doorbell.ringRun(run.id);
  }
  return answerOf(context, run, recorded, startedAt);
}

export function retryAsked(runId: string, request: RetryRequest): unknown {
  return ['retry', runId, canonical(request)];
}

/** What a retry takes from the run it retries. */
export interface Parent {
  id: string;
  attempt: number;
  command: string;
  commandOverride: string | null;
  settings: unknown;
}

/** The job's timeout and environment are those of now, the commands those of then; and what was asked for that run. */
export function retryOf(
  parent: Parent,
  job: JobToRun,
  left: Exclude<RetryPlan, { refused: string }>,
  occasion: Omit<Occasion, 'triggeredBy' | 'attempt' | 'retryOf' | 'override' | 'overrides' | 'left'>,
): NewRun {
  const run = newRun(job, {
    ...occasion,
    triggeredBy: 'retry',
    attempt: parent.attempt + 1,
    retryOf: parent.id,
    left,
    overrides: runSettings.parse(parent.settings).overrides,
  });
  return { ...run, command: parent.command, commandOverride: parent.commandOverride };
}

function requireUndone(status: string): void {
  if (!isFinal(status)) {
    throw conflict(`The run is still ${status}: wait for its end, or cancel it, before you retry it.`);
  }
  if (status === 'success') {
    throw conflict('The run ended with success, so nothing of it is left to retry: trigger the job instead.');
  }
}

async function jobOf(
  db: Database,
  { organizationId, projectId, jobId }: { organizationId: string; projectId: string; jobId: string },
): Promise<JobToRun> {
  try {
    return await jobToRun(db, { organizationId, projectId, jobId });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw conflict("The run's job was deleted: its runs can't be retried any more.");
  }
}

function requirePlan(plan: RetryPlan): Exclude<RetryPlan, { refused: string }> {
  if (!('refused' in plan)) return plan;
  switch (plan.refused) {
    case 'all_ended_well':
      throw conflict(
        'Each step of the run ended well, so nothing is left to retry: trigger the job instead.',
      );
    case 'cleared':
      throw new AppError(
        'gone',
        "The run's results were removed, as the organization's retention says, so what it left undone is not known: trigger the job instead.",
      );
  }
}

/** Two retries at once would do the same work twice. */
async function insertAlone(tx: Transaction, parentId: string, run: NewRun): Promise<void> {
  const atWork = await findRetryAtWork(tx, parentId);
  if (atWork !== null) throw conflict(`A retry of the run is ${atWork.status} already: ${atWork.id}.`);
  await insertOrRefuse(tx, run);
}

function conflict(detail: string): AppError {
  return new AppError('conflict', detail);
}
