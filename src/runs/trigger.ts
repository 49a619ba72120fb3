import { createHash, randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { acceptCommand } from '../commands/accept-command.ts';
import { displayCommand } from '../jobs/commands.ts';
import { jobToRun } from '../jobs/job-to-run.ts';
import { currentDeploymentId } from '../projects/deployments.ts';
import type { RunSettings, TriggerRequest, triggered } from './schema.ts';
import { findIdempotencyKey, findRun, insertRun, takeIdempotencyKey, type NewRun } from './store.ts';

/**
 * Records a run of a job as `queued` and rings the doorbell. Once this returns, the run will be executed: the
 * sweeper rings again should the doorbell be out of order.
 */
export async function triggerRun(
  context: Context,
  { organizationId }: Principal,
  { projectId, jobId }: { projectId: string; jobId: string },
  request: TriggerRequest,
  options: {
    triggeredBy: 'manual' | 'api' | 'schedule' | 'event' | 'retry';
    idempotencyKey: string | undefined;
  },
): Promise<z.input<typeof triggered>> {
  const { db, doorbell, log } = context;
  const job = await jobToRun(db, { organizationId, projectId, jobId });
  const override =
    request.command_override === undefined
      ? undefined
      : acceptCommand(request.command_override, '/command_override');
  const deploymentId = await currentDeploymentId(db, projectId);
  if (deploymentId === undefined) {
    throw new AppError('conflict', 'The project has no code yet: deploy it first (POST .../deployments).');
  }

  const settings: RunSettings = {
    steps: override === undefined ? job.commands.map((each) => acceptCommand(each, '/commands')) : [override],
    timeoutSeconds: Math.min(job.timeoutSeconds, job.environment.timeoutSeconds ?? Infinity),
    environment: job.environment,
  };
  const run: NewRun = {
    id: randomUUID(),
    organizationId,
    projectId,
    jobId,
    deploymentId,
    name: `${job.name}-${options.triggeredBy}-${timeInName(new Date())}`,
    environmentId: job.environment.id,
    command: displayCommand(job.commands),
    commandOverride: override?.command ?? null,
    triggeredBy: options.triggeredBy,
    cause: request.cause ?? null,
    metadata: request.metadata ?? null,
    settings,
  };
  const recorded = await record(context, run, request, options.idempotencyKey);
  if (recorded.id === run.id) {
    log.info({ run: run.id, job: jobId }, 'run queued');
    await doorbell.ringRun(run.id);
  }
  return {
    message: 'DBT job run triggered successfully',
    job_run_id: recorded.id,
    job_id: jobId,
    job_name: recorded.name,
  };
}

/** The run that stands for this request: this one, or the one an earlier request with the same key made. */
async function record(
  { db }: Context,
  run: NewRun,
  request: TriggerRequest,
  idempotencyKey: string | undefined,
): Promise<{ id: string; name: string }> {
  if (idempotencyKey === undefined) {
    await insertRun(db, run);
    return run;
  }
  if (!/^[\x21-\x7e]{1,255}$/.test(idempotencyKey)) {
    throw new AppError('invalid_request', 'header.Idempotency-Key: write 1 to 255 visible ASCII characters.');
  }
  const { organizationId } = run;
  const requestHash = createHash('sha256')
    .update(JSON.stringify([run.jobId, canonical(request)]))
    .digest();
  return db.$transaction(async (tx) => {
    if (await takeIdempotencyKey(tx, { organizationId, key: idempotencyKey, requestHash, runId: run.id })) {
      await insertRun(tx, run);
      return run;
    }
    const earlier = await findIdempotencyKey(tx, organizationId, idempotencyKey);
    if (earlier === null || !requestHash.equals(earlier.requestHash)) {
      throw new AppError(
        'key_reused',
        'This Idempotency-Key was sent with another request. Use a new key for a new request.',
      );
    }
    const found = await findRun(tx, organizationId, earlier.runId);
    if (found === null) throw new Error(`the run of an idempotency key is missing: ${earlier.runId}`);
    return found;
  });
}

/** The same text for the same request, in whatever order its keys came. */
function canonical(request: TriggerRequest): unknown {
  const { command_override: override = null, cause = null, metadata = {} } = request;
  return [override, cause, Object.entries(metadata).toSorted(([a], [b]) => (a < b ? -1 : 1))];
}

/** `YYYYMMDD-HHMMSS`, UTC. */
function timeInName(time: Date): string {
  const digits = time.toISOString().replace(/\D/g, '');
  return `${digits.slice(0, 8)}-${digits.slice(8, 14)}`;
}
