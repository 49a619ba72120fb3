import type { Database } from '../db.ts';
import { noSuchJob } from './jobs.ts';
import { findJob } from './store.ts';

/** What a run copies from its job and the job's environment. */
export interface JobToRun {
  name: string;
  command: string;
  timeoutSeconds: number;
  environment: {
    name: string;
    runnerImage: string | null;
    memoryMb: number | null;
    cpus: number | null;
    network: string | null;
  };
}

/** Throws `not_found` for a job that is not there, deleted, or another organization's. */
export async function jobToRun(
  db: Database,
  { organizationId, projectId, jobId }: { organizationId: string; projectId: string; jobId: string },
): Promise<JobToRun> {
  const job = await findJob(db, { organizationId, projectId, id: jobId });
  if (job === null) throw noSuchJob();
  const { name, command, timeoutSeconds, environment } = job;
  const { runnerImage, memoryMb, cpus, network } = environment;
  return {
    name,
    command,
    timeoutSeconds,
    environment: { name: environment.name, runnerImage, memoryMb, cpus, network },
  };
}
