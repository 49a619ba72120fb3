import { projectTypeOf, type ProjectType } from '../commands/project-type.ts';
import type { Database } from '../db.ts';
import { settingsOf, type EnvironmentSettings } from '../environments/environment-settings.ts';
import { noSuchJob } from './jobs.ts';
import { findJob } from './store.ts';

/** What a run copies from its job and the job's environment. */
export interface JobToRun {
  name: string;
  commands: string[];
  enabled: boolean;
  projectType: ProjectType;
  timeoutSeconds: number;
  environment: EnvironmentSettings;
}

/** Throws `not_found` for a job that is not there, deleted, or another organization's. */
export async function jobToRun(
  db: Database,
  { organizationId, projectId, jobId }: { organizationId: string; projectId: string; jobId: string },
): Promise<JobToRun> {
  const job = await findJob(db, { organizationId, projectId, id: jobId });
  if (job === null) throw noSuchJob();
  const { name, commands, enabled, project, timeoutSeconds, environment } = job;
  return {
    name,
    commands,
    enabled,
    projectType: projectTypeOf(project.type),
    timeoutSeconds,
    environment: settingsOf(environment),
  };
}
