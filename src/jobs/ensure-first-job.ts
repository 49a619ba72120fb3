import { randomUUID } from 'node:crypto';
import { firstCommand } from '../commands/parse-command.ts';
import type { ProjectType } from '../commands/project-type.ts';
import type { Transaction } from '../db.ts';
import { noWebhook } from '../webhooks/job-webhook.ts';
import { defaultMaxParallelRuns, defaultRetryDelaySeconds, defaultTimeoutSeconds } from './jobs.ts';
import { noSchedule } from './schedule.ts';
import { usualManner } from './steps-of-run.ts';
import { findFirstJob, insertJob } from './store.ts';

/** The id of the project's first job, which is made here when it has none: `scheduled-run`. */
export async function ensureFirstJob(
  tx: Transaction,
  {
    projectId,
    projectType,
    environmentId,
  }: { projectId: string; projectType: ProjectType; environmentId: string },
): Promise<string> {
  const found = await findFirstJob(tx, projectId);
  if (found !== null) return found.id;
  const id = randomUUID();
  await insertJob(tx, id, projectId, {
    name: 'scheduled-run',
    description: '',
    commands: [firstCommand(projectType)],
    enabled: true,
    environmentId,
    timeoutSeconds: defaultTimeoutSeconds,
    maxParallelRuns: defaultMaxParallelRuns,
    retryAttempts: 0,
    retryDelaySeconds: defaultRetryDelaySeconds,
    replaceQueued: false,
    ...usualManner,
    ...noSchedule,
    ...noWebhook,
  });
  return id;
}
