import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { inBatches, shared } from '../batches.ts';
import type { Context, Principal } from '../context.ts';
import type { Database, Transaction } from '../db.ts';
import { AppError, invalidField } from '../errors.ts';
import { acceptCommand } from '../commands/accept-command.ts';
import { jobToRun } from '../jobs/job-to-run.ts';
import { newRun } from './new-run.ts';
import { acceptOverrides } from './overrides.ts';
import { recordRun, ringForReplaced, takesPlaces, type ReplacedRun } from './record-run.ts';
import { keyForm, type RunOverrides, type TriggerRequest, type triggered } from './schema.ts';
import {
  findIdempotencyKey,
  findNextToBegin,
  findRun,
  insertRun,
  insertRuns,
  takeIdempotencyKey,
  type NewRun,
} from './store.ts';

/**
 * A trigger records a run of a job as `queued` and rings the doorbell. Once it returns, the run will be executed: the
 * sweeper rings again should the doorbell be out of order. Triggers that come at the same time share their look at the
 * job, and the statement that records their runs.
 */
export function openTrigger(context: Context) {
  const { db, pool, doorbell, log } = context;
  const look = shared((job: JobKey) => jobToRun(pool, job));
  const record = inBatches((runs: NewRun[]) => insertRuns(pool, runs));
  const findNext = shared((jobId: string) => findNextToBegin(pool, jobId), { restMs: 20 });

  /** Not for a run that others of its job are before: whichever of those ends rings for the next. */
  const ringInTurn = async ({ id, jobId }: NewRun) => {
    const next = await findNext(jobId, jobId).catch(() => [id]);
    if (next.includes(id)) await doorbell.ringRun(id);
  };

  return async (
    { organizationId, actor }: Principal,
    { projectId, jobId }: { projectId: string; jobId: string },
    request: TriggerRequest,
    options: {
      triggeredBy: 'manual' | 'api' | 'schedule' | 'event' | 'retry';
      idempotencyKey: string | undefined;
      overrides?: RunOverrides | undefined;
      /** What the key stands for, where that is another thing than this request. */
      asked?: unknown;
    },
  ): Promise<z.input<typeof triggered>> => {
    const startedAt = performance.now();
    const key = [organizationId, projectId, jobId].join(' ');
    const job = await look(key, { organizationId, projectId, jobId });
    requireEnabled(job);
    const overrides = acceptOverrides(job, options.overrides);
    if (request.command_override !== undefined && job.projectType !== 'dbt') {
      const detail = `command_override is only available for dbt projects, and this one's type is ${job.projectType}: leave it out.`;
      throw invalidField('/command_override', detail);
    }
    const override =
      request.command_override === undefined
        ? undefined
        : acceptCommand(request.command_override, '/command_override', job.projectType);

    const run = newRun(job, {
      triggeredBy: options.triggeredBy,
      requestedBy: actor.name,
      actor,
      cause: request.cause,
      metadata: request.metadata,
      override,
      overrides,
      hasKey: options.idempotencyKey !== undefined,
    });
    let replaced: ReplacedRun[] = [];
    const insert = async (given: Database | Transaction) => {
      if (takesPlaces(job, run)) {
        const ended = await db.$transaction((tx) => recordRun(tx, context, job, run), { maxWait: 5_000 });
        replaced = ended ?? refuseWithoutCode();
      } else if (given === db) {
        if (!(await record(jobId, run))) refuseWithoutCode();
      } else {
        await insertOrRefuse(given, run);
      }
    };
    const content = overrides === null ? canonical(request) : [canonical(request), overrides];
    const asked = options.asked ?? content;
    const recorded = await recordOnce(context, run, asked, options.idempotencyKey, insert);
    if (recorded.id === run.id) {
      log.info({ run: run.id, job: jobId }, 'run queued');
      // Nobody waits for it: a ring that gets lost costs as much when somebody did.
      void Promise.all([ringInTurn(run), ringForReplaced(context, replaced)]);
    }
    return answerOf(context, run, recorded, startedAt);
  };
}

interface JobKey {
  organizationId: string;
  projectId: string;
  jobId: string;
}

export function requireEnabled({ enabled }: { enabled: boolean }): void {
  if (enabled) return;
  throw new AppError(
    'conflict',
    'The job is switched off: set its field enabled to true first (PATCH .../jobs/{job_id}).',
  );
}

/** What whoever asked for a run is told. `recorded`: the run that stands for the request, this one or an earlier. */
export function answerOf(
  { metrics }: Context,
  { triggeredBy, jobId }: NewRun,
  recorded: { id: string; name: string },
  startedAt: number,
): z.input<typeof triggered> {
  metrics.triggers.observe({ triggered_by: triggeredBy }, (performance.now() - startedAt) / 1_000);
  return {
    message: 'DBT job run triggered successfully',
    job_run_id: recorded.id,
    job_id: jobId,
    job_name: recorded.name,
  };
}

/**
 * Records the run with `insert`, which may refuse. Returns the run that stands for this request: this one, or the one
 * that an earlier request with the same key made. `request`: the same JSON for the same request.
 */
export async function recordOnce(
  { db }: Context,
  run: NewRun,
  request: unknown,
  idempotencyKey: string | undefined,
  insert: (db: Database | Transaction, run: NewRun) => Promise<void> = insertOrRefuse,
): Promise<{ id: string; name: string }> {
  if (idempotencyKey === undefined) {
    await insert(db, run);
    return run;
  }
  if (!keyForm.test(idempotencyKey)) {
    throw new AppError('invalid_request', 'header.Idempotency-Key: write 1 to 255 visible ASCII characters.');
  }
  const { organizationId } = run;
  const requestHash = hashOf(run.jobId, request);
  return db.$transaction(async (tx) => {
    if (await takeIdempotencyKey(tx, { organizationId, key: idempotencyKey, requestHash, runId: run.id })) {
      await insert(tx, run);
      return run;
    }
    const earlier = await findIdempotencyKey(tx, organizationId, idempotencyKey);
    if (earlier === null || !requestHash.equals(earlier.requestHash)) throw keyReused();
    const found = await findRun(tx, organizationId, earlier.runId);
    if (found === null) throw new Error(`the run of an idempotency key is missing: ${earlier.runId}`);
    return found;
  });
}

/** The run that an earlier request with this key made; null: there was none. Throws where it asked for something else. */
export async function runOfKey(
  { db }: Context,
  { organizationId }: Principal,
  key: string | undefined,
  { jobId, asked }: { jobId: string; asked: unknown },
): Promise<string | null> {
  const earlier = key === undefined ? null : await findIdempotencyKey(db, organizationId, key);
  if (earlier === null) return null;
  if (!hashOf(jobId, asked).equals(earlier.requestHash)) throw keyReused();
  return earlier.runId;
}

function hashOf(jobId: string, request: unknown): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([jobId, request]))
    .digest();
}

function keyReused(): AppError {
  return new AppError(
    'key_reused',
    'This Idempotency-Key was sent with another request. Use a new key for a new request.',
  );
}

export async function insertOrRefuse(db: Database | Transaction, run: NewRun): Promise<void> {
  if (!(await insertRun(db, run))) refuseWithoutCode();
}

function refuseWithoutCode(): never {
  throw new AppError('conflict', 'The project has no code to run: deploy it first (POST .../deployments).');
}

/** The same text for the same request, in whatever order its keys came. */
export function canonical(request: TriggerRequest): unknown {
  const { command_override: override = null, cause = null, metadata = {} } = request;
  return [override, cause, Object.entries(metadata).toSorted(([a], [b]) => (a < b ? -1 : 1))];
}
