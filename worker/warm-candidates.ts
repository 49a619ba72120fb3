import type { Context } from '../src/context.ts';
import { parseCommand } from '../src/commands/parse-command.ts';
import { optionsOf, parseOptions } from '../src/commands/parse-options.ts';
import { environmentOfSteps, stepsOfRun } from '../src/jobs/steps-of-run.ts';
import { requestPreparation } from '../src/preparations/request-preparations.ts';
import { findPreparation, type FoundPreparation, type Wanted } from '../src/preparations/store.ts';
import { findLikelyJobs, type LikelyJob } from '../src/runs/likely-jobs.ts';
import { getInstallationId } from '../src/runs/store.ts';
import type { Executor } from './executors/executor.ts';
import type { Candidate } from './plan-warm.ts';
import { openBasis, type OpenedBasis } from './run-environment.ts';
import type { WarmFor } from './warm-container.ts';

/** A container takes this much at least: no more candidates are looked at than could ever wait. */
const smallestBytes = 64 * 1024 * 1024;
/** So long before its time a job's container is made. */
const soonSeconds = 120;

export interface WarmCandidate extends Omit<Candidate, 'memoryBytes'>, WarmFor {
  /** Whether its deployment is prepared: one that is made sooner would do the same work once more. */
  isPrepared: boolean;
}

/** For which jobs containers may wait, likeliest first; jobs that the same container serves are one. */
export async function findWarmCandidates(
  context: Context,
  executor: Executor,
  memoryBytes: number,
): Promise<WarmCandidate[]> {
  const { config, db } = context;
  const jobs = await findLikelyJobs(db, {
    soonSeconds,
    idleSeconds: config.DCTL_WARM_IDLE_SECONDS,
    limit: Math.ceil(memoryBytes / smallestBytes),
  });
  if (jobs.length === 0) return [];
  const installationId = await getInstallationId(db);
  const found = new Map<string, WarmCandidate>();
  for (const job of jobs) {
    const wanted = await warmFor(context, executor, job, installationId);
    if (wanted === null) continue;
    const key = JSON.stringify([wanted.opened.fit, wanted.options]);
    const before = found.get(key)?.wanted ?? 0;
    const places = Math.min(Math.max(before + job.runs, 1), config.DCTL_WORKER_CONCURRENCY);
    found.set(key, { ...wanted, key, wanted: places });
  }
  return [...found.values()];
}

/** Null: none can be made for it. */
async function warmFor(
  context: Context,
  executor: Executor,
  job: LikelyJob,
  installationId: string,
): Promise<(WarmFor & { isPrepared: boolean }) | null> {
  const { organizationId, deploymentId } = job;
  const commands = job.commands.flatMap((command) => {
    const parsed = parseCommand(command, 'dbt');
    return parsed.accepted ? [parsed] : [];
  });
  // One that an earlier version accepted, and this one does not.
  if (commands.length < job.commands.length) return null;
  const steps = stepsOfRun(commands, job.manner);
  const argvs = steps.map(({ argv }) => argv);
  const environment = environmentOfSteps(job.environment, steps);
  const basis = { installationId, organizationId, deploymentId, environment, projectType: 'dbt' as const };
  const options = optionsOf(argvs);
  const [opened, prepared] = await Promise.all([
    openBasis(context, executor, basis),
    findPreparation(context.db, { deploymentId, environmentId: environment.id, options }),
  ]);
  if ('problem' in opened || opened.fit === null) return null;
  const wanted = options === null ? null : wantedOf(prepared, opened.parsedWith);
  if (wanted !== null && options !== null) {
    await requestPreparation(context, { deploymentId, environmentId: environment.id, options }, wanted);
  }
  const isPrepared =
    context.config.DCTL_PREPARATIONS === 'off' || options === null || isOver(prepared, opened);
  return { basis, opened, prepared, options: parseOptions(argvs[0] ?? []), isPrepared };
}

function wantedOf(prepared: FoundPreparation | null, parsedWith: string | null): Wanted | null {
  if (prepared === null || !prepared.isExact) return 'missing';
  if (prepared.state === 'pending' || prepared.state === 'preparing') return null;
  // It failed for no fault of its project: whether it is tried again is for the next run to say.
  if (prepared.parsedWith === null) return null;
  return prepared.parsedWith === parsedWith ? null : 'changed';
}

function isOver(prepared: FoundPreparation | null, { parsedWith }: OpenedBasis): boolean {
  if (prepared === null || !prepared.isExact) return false;
  return prepared.state === 'failed' || (prepared.state === 'ready' && prepared.parsedWith === parsedWith);
}
