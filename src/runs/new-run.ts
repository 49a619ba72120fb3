import { randomUUID } from 'node:crypto';
import { acceptCommand } from '../commands/accept-command.ts';
import { valueOf } from '../commands/with-option.ts';
import type { Actor } from '../context.ts';
import { AppError } from '../errors.ts';
import { displayCommand } from '../jobs/commands.ts';
import type { JobToRun } from '../jobs/job-to-run.ts';
import { environmentOfSteps, inManner, stepsOfRun } from '../jobs/steps-of-run.ts';
import { withSchema } from './overrides.ts';
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
  /** What was asked for this run alone. Its steps take the place of the job's commands. */
  overrides?: RunSettings['overrides'] | undefined;
  /** What is left of the run it retries, in place of all commands. */
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
  const { override, overrides = null } = occasion;
  const steps = stepsOn(job, occasion);
  if (steps.every(({ mayFail }) => mayFail)) throw withoutCommands();
  const instead = overrides?.steps ? displayCommand(overrides.steps) : null;
  const environment = withSchema(job.environment, overrides?.schema ?? null);
  if (occasion.left === undefined && environment.connection !== null) requireOneTarget(steps);
  const settings: RunSettings = {
    steps,
    timeoutSeconds: Math.min(
      overrides?.timeoutSeconds ?? job.timeoutSeconds,
      environment.timeoutSeconds ?? Infinity,
    ),
    environment: environmentOfSteps(environment, steps),
    retryFrom: occasion.left?.retryFrom ?? null,
    projectType: job.projectType,
    overrides,
  };
  return {
    id: randomUUID(),
    organizationId: job.organizationId,
    projectId: job.projectId,
    jobId: job.id,
    environmentId: job.environment.id,
    name: `${job.name}-${occasion.triggeredBy}-${timeInName(new Date())}`,
    command: displayCommand(job.commands),
    commandOverride: override?.command ?? instead,
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

/** What is left of another run, or one command that was asked for, or else the job's or those in their place. */
function stepsOn(job: JobToRun, { override, overrides = null, left }: Occasion): RunSettings['steps'] {
  if (left !== undefined) return left.steps;
  if (override !== undefined) return [inManner(override, job)];
  const commands =
    overrides?.steps?.map((step, place) =>
      acceptCommand(step, `/steps_override/${place}`, job.projectType),
    ) ?? job.acceptedCommands();
  return stepsOfRun(commands, {
    target: overrides?.target ?? job.target,
    threads: overrides?.threads ?? job.threads,
    generateDocs: overrides?.generateDocs ?? job.generateDocs,
    generateSources: job.generateSources,
  });
}

/** A generated profile has one target. */
function requireOneTarget(steps: RunSettings['steps']): void {
  const targets = new Set(steps.flatMap(({ argv }) => valueOf(argv, '--target') ?? []));
  if (targets.size <= 1) return;
  throw new AppError(
    'invalid_request',
    `The run's commands name several targets (${[...targets].join(', ')}), and the profile that is made of the environment's connection has one: name the same in each.`,
  );
}

function withoutCommands(): AppError {
  return new AppError(
    'conflict',
    'The job has no commands: set its field commands (PATCH .../jobs/{job_id}), or send the commands with the trigger.',
  );
}

/** `YYYYMMDD-HHMMSS`, UTC. */
function timeInName(time: Date): string {
  const digits = time.toISOString().replace(/\D/g, '');
  return `${digits.slice(0, 8)}-${digits.slice(8, 14)}`;
}
