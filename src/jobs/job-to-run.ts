import type pg from 'pg';
import { acceptCommand } from '../commands/accept-command.ts';
import { projectTypeOf, type ProjectType } from '../commands/project-type.ts';
import type { Database, Transaction } from '../db.ts';
import { settingsOf, type EnvironmentSettings } from '../environments/environment-settings.ts';
import { noSuchJob } from './jobs.ts';
import type { JobManner } from './steps-of-run.ts';
import { findJobToRun } from './store.ts';

/** What a run copies from its job and the job's environment. */
export interface JobToRun extends JobManner {
  id: string;
  projectId: string;
  organizationId: string;
  name: string;
  commands: string[];
  /** Its commands in words, looked at once. Throws for one that is not allowed any more. */
  acceptedCommands(): { command: string; argv: string[] }[];
  enabled: boolean;
  projectType: ProjectType;
  timeoutSeconds: number;
  /** A new run takes the place of those that wait with the same command. */
  replaceQueued: boolean;
  environment: EnvironmentSettings;
}

/** Throws `not_found` for a job that is not there, deleted, or another organization's. */
export async function jobToRun(
  db: pg.Pool | Database | Transaction,
  { organizationId, projectId, jobId }: { organizationId: string; projectId: string; jobId: string },
): Promise<JobToRun> {
  const job = await findJobToRun(db, { organizationId, projectId, id: jobId });
  if (job === undefined) throw noSuchJob();
  const projectType = projectTypeOf(job.projectType);
  let accepted: ReturnType<JobToRun['acceptedCommands']> | undefined;
  return {
    ...job,
    id: jobId,
    projectId,
    organizationId,
    acceptedCommands: () =>
      (accepted ??= job.commands.map((each) => acceptCommand(each, '/commands', projectType))),
    projectType,
    environment: settingsOf(job.environment),
  };
}
