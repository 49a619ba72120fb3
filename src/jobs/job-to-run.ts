import { projectTypeOf, type ProjectType } from '../commands/project-type.ts';
import type { Database, Transaction } from '../db.ts';
import { settingsOf, type EnvironmentSettings } from '../environments/environment-settings.ts';
import { noSuchJob } from './jobs.ts';
import { findJob } from './store.ts';

/** What a run copies from its job and the job's environment. */
export interface JobToRun {
  id: string;
  projectId: string;
  organizationId: string;
  name: string;
  commands: string[];
  enabled: boolean;
  projectType: ProjectType;
  timeoutSeconds: number;
  /** A new run takes the place of those that wait with the same command. */
  replaceQueued: boolean;
  environment: EnvironmentSettings;
}

/** Throws `not_found` for a job that is not there, deleted, or another organization's. */
export async function jobToRun(
  db: Database | Transaction,
  { organizationId, projectId, jobId }: { organizationId: string; projectId: string; jobId: string },
): Promise<JobToRun> {
  const job = await findJob(db, { organizationId, projectId, id: jobId });
  if (job === null) throw noSuchJob();
  const { name, commands, enabled, project, timeoutSeconds, replaceQueued, environment } = job;
  return {
    id: job.id,
    projectId,
    organizationId,
    name,
    commands,
    enabled,
    projectType: projectTypeOf(project.type),
    timeoutSeconds,
    replaceQueued,
    environment: settingsOf(environment),
  };
}
