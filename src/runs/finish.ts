import type { Context } from '../context.ts';
import { patiently, type Database } from '../db.ts';
import { recordConsequences, ringForConsequences } from './consequences.ts';
import { endRun, type Lease } from './lease.ts';
import { tallyNodes, verdictOn, type Outcome } from './status.ts';
import { countNodesByStatus, findFirstFailedNode, findStepsThatMayFail } from './store.ts';
import { countEnded } from './tell-of-end.ts';

/**
 * Ends a run and records what follows from that, in one transaction: neither exists without the other. Then rings for
 * it. False when the lease was lost.
 *
 * `endedAt`: when that was, in milliseconds of `performance.now()`: no clock that can be set is asked. `hasArtifacts`:
 * whoever calls stores them next. `letGo`: when given, Postgres is waited for while it is away, until that aborts.
 */
export async function finishRun(
  context: Context,
  lease: Lease,
  outcome: Outcome,
  {
    endedAt = performance.now(),
    hasArtifacts = false,
    letGo,
  }: { endedAt?: number; hasArtifacts?: boolean; letGo?: AbortSignal } = {},
): Promise<boolean> {
  const { config, log } = context;
  const collectSeconds = hasArtifacts ? config.DCTL_LEASE_SECONDS : null;
  const end = () => {
    const endedAgoMs = Math.max(0, performance.now() - endedAt);
    return recordEnd(context, lease, outcome, { endedAgoMs, collectSeconds });
  };
  const finished = await (letGo === undefined ? end() : patiently(end, { forMs: Infinity, signal: letGo }));
  if (finished === null) {
    log.warn({ run: lease.runId }, 'the run belongs to another worker by now; its end was not recorded');
    return false;
  }

  const { run, consequences } = finished;
  log.info({ run: run.id, status: run.status, reason: run.statusReason, ms: run.durationMs }, 'run ended');
  countEnded(context, run);
  await ringForConsequences(context, run, consequences);
  return true;
}

async function recordEnd(
  context: Context,
  lease: Lease,
  outcome: Outcome,
  end: { endedAgoMs: number; collectSeconds: number | null },
) {
  const { db } = context;
  // Read only where they decide: a run that is given up may be one whose nodes cannot be read.
  const rows = outcome.kind === 'exited' ? await countNodesByStatus(db, [lease.runId]) : null;
  const counted = rows && tallyNodes(rows);
  const isPlain = outcome.kind !== 'exited' || (outcome.exitCode === 0 && counted?.failed === 0);
  const without = isPlain ? [] : await findStepsThatMayFail(db, lease.runId);
  const judged = tallyNodes((rows ?? []).filter(({ step }) => !without.includes(step)));
  const nodes = { ...judged, skipped: judged.skipped + judged.queued };
  const failure = nodes.failed > 0 ? await firstFailure(db, lease.runId, without) : null;
  const verdict = verdictOn(outcome, nodes, failure);
  return db.$transaction(async (tx) => {
    const run = await endRun(tx, lease, {
      ...verdict,
      exitCode: 'exitCode' in outcome ? outcome.exitCode : null,
      nodesTotal: counted && Object.values(counted).reduce((sum, count) => sum + count, 0),
      ...end,
    });
    return run === null ? null : { run, consequences: await recordConsequences(tx, context, run) };
  });
}

async function firstFailure(db: Database, runId: string, without: number[]): Promise<string | null> {
  const failed = await findFirstFailedNode(db, runId, without);
  return failed === null ? null : `${failed.uniqueId}: ${failed.message ?? failed.status}`;
}
