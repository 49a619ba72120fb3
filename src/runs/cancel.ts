import { recordAudit } from '../audit/record-audit.ts';
import { announceRunChange } from '../changes.ts';
import type { Context, Principal } from '../context.ts';
import { Prisma, type Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { recordConsequences, ringForConsequences } from './consequences.ts';
import { endQueued, type EndedRun } from './lease.ts';
import { getRun, requireRun, type RunView } from './runs.ts';
import { isFinal, noNodes, verdictOn } from './status.ts';
import { countEnded } from './tell-of-end.ts';

/**
 * Ends a run that waits, at once; of a run that a worker has, notes who wants it ended and wakes that worker. Again is
 * the same as once. Refuses a run that has come to another end.
 */
export async function cancelRun(context: Context, principal: Principal, id: string): Promise<RunView> {
  const { db, log } = context;
  const cancelled = await db.$transaction(async (tx) => {
    const ended = await endWaiting(tx, principal, id);
    if (ended === null && !(await askWorker(tx, principal, id))) return null;
    await recordAudit(tx, principal, 'run.cancelled', { kind: 'run', id });
    await announceRunChange(tx, id);
    return ended === null ? 'asked' : { ended, consequences: await recordConsequences(tx, context, ended) };
  });
  if (cancelled === null) {
    requireCancelled(await requireRun(context, principal, id));
  } else {
    log.info({ run: id, wasQueued: cancelled !== 'asked' }, 'run cancelled');
    if (cancelled !== 'asked') {
      countEnded(context, cancelled.ended);
      await ringForConsequences(context, cancelled.ended, cancelled.consequences);
    }
  }
  return getRun(context, principal, id);
}

/** What a worker watches, among the changes, for the run it has. */
export function cancellationOf(runId: string): string {
  return `${runId}/cancelled`;
}

/** Null when the run is not there, or not queued. */
async function endWaiting(
  tx: Transaction,
  { organizationId, actor }: Principal,
  id: string,
): Promise<EndedRun | null> {
  const verdict = verdictOn({ kind: 'cancelled', by: actor.name, atWork: false }, noNodes, null);
  const [ended] = await endQueued(tx, verdict, {
    which: Prisma.sql`id = ${id} AND organization_id = ${organizationId}`,
    noted: Prisma.sql`cancel_requested_at = clock_timestamp(), cancelled_by = ${actor.name}`,
  });
  return ended ?? null;
}

/** False when the run is not there, not running, or somebody has asked before. */
async function askWorker(
  tx: Transaction,
  { organizationId, actor }: Principal,
  id: string,
): Promise<boolean> {
  const asked = await tx.$executeRaw`
    UPDATE runs SET cancel_requested_at = clock_timestamp(), cancelled_by = ${actor.name}
    WHERE id = ${id} AND organization_id = ${organizationId} AND status = 'running' AND cancelled_by IS NULL`;
  if (asked === 1) await announceRunChange(tx, cancellationOf(id));
  return asked === 1;
}

function requireCancelled(run: { status: string; statusReason: string | null }): void {
  if (!isFinal(run.status) || run.statusReason === 'cancelled') return;
  throw new AppError(
    'conflict',
    `The run has come to its end with the status "${run.status}": there is nothing left to cancel.`,
  );
}
