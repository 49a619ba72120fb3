import { randomUUID } from 'node:crypto';
import type { Actor } from '../context.ts';
import { displayCommand } from '../jobs/commands.ts';
import type { JobToRun } from '../jobs/job-to-run.ts';
import type { RunSettings, triggers } from './schema.ts';
import type { NewRun } from './store.ts';

/** What a run has from whatever makes it begin. What is left out is nothing. */
export interface Occasion {
  triggeredBy: (typeof triggers)[number];
  /** A name, for people. */
  requestedBy: string;
  /** Who that is. Left out: dctl itself. */
  actor?: Actor;
  cause?: string | null | undefined;
  metadata?: NewRun['metadata'] | undefined;
  /** In place of the job's commands, and accepted already. */
  override?: RunSettings['steps'][number] | undefined;
  /** What is left of the run it retries, in place of all that. */
  left?: Pick<RunSettings, 'steps' | 'retryFrom'>;
  attempt?: number;
  retryOf?: string;
  afterRun?: string;
  scheduledFor?: Date;
  delaySeconds?: number;
  hasKey?: boolean;
}

/** A run of a job as it is now, with all that a later change of the job must not change. */
export function newRun(job: JobToRun, occasion: Occasion): NewRun {
  const { override, left } = occasion;
  const settings: RunSettings = {
    steps: left?.steps ?? (override === undefined ? job.acceptedCommands() : [override]),
    timeoutSeconds: Math.min(job.timeoutSeconds, job.environment.timeoutSeconds ?? Infinity),
    environment: job.environment,
    retryFrom: left?.retryFrom ?? null,
    projectType: job.projectType,
  };
  return {
    id: randomUUID(),
    organizationId: job.organizationId,
    projectId: job.projectId,
    jobId: job.id,
    environmentId: job.environment.id,
    name: `${job.name}-${occasion.triggeredBy}-${timeInName(new Date())}`,
    command: displayCommand(job.commands),
    commandOverride: override?.command ?? null,
    triggeredBy: occasion.triggeredBy,
    requestedBy: occasion.requestedBy,
    actor: occasion.actor ?? { kind: 'system', id: null, name: occasion.requestedBy },
    cause: occasion.cause ?? null,
    metadata: occasion.metadata ?? null,
    settings,
    attempt: occasion.attempt ?? 1,
    retryOf: occasion.retryOf ?? null,
    afterRun: occasion.afterRun ?? null,
    scheduledFor: occasion.scheduledFor ?? null,
    delaySeconds: occasion.delaySeconds ?? 0,
    hasKey: occasion.hasKey ?? false,
  };
}

/** `YYYYMMDD-HHMMSS`, UTC. */
function timeInName(time: Date): string {
  const digits = time.toISOString().replace(/\D/g, '');
  return `${digits.slice(0, 8)}-${digits.slice(8, 14)}`;
}
