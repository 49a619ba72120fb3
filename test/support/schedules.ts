import { createPostgresBackend, Queue, withBackend } from 'bullmq';
import { createJob, expectStatus, type DeployedProject } from './project.ts';
import type { System } from './system.ts';
import type { JobKey } from './webhooks.ts';

/** A time that does not come while a test runs. */
export const yearly = { cron: '0 0 1 1 *', timezone: 'UTC' };

export async function createScheduledJob(
  system: System,
  { projectId }: Pick<DeployedProject, 'projectId'>,
  fields: Record<string, unknown> = {},
): Promise<JobKey> {
  return { projectId, jobId: await createJob(system, projectId, { schedule: yearly, ...fields }) };
}

/** The schedule's next time was so long ago. Returns it. */
export async function makeDue({ pool }: System, { jobId }: JobKey, secondsAgo = 0): Promise<string> {
  const { rows } = await pool.query<{ due: Date }>(
    `UPDATE jobs SET schedule_next_at = clock_timestamp() - make_interval(secs => $2) WHERE id = $1
     RETURNING schedule_next_at AS due`,
    [jobId, secondsAgo],
  );
  return rows[0]!.due.toISOString();
}

export async function getJob(system: System, { projectId, jobId }: JobKey): Promise<any> {
  return (await expectStatus(200, system.call('GET', `/api/v1/projects/${projectId}/jobs/${jobId}`))).body;
}

/** The job's runs, newest first. */
export async function runsOf(system: System, { jobId }: Pick<JobKey, 'jobId'>): Promise<any[]> {
  return (await expectStatus(200, system.call('GET', `/api/v1/runs?job_id=${jobId}&limit=100`))).body.data;
}

/** The queue that rings at the times of schedules. */
export function openScheduleQueue({ environment }: System): Queue {
  const name = 'dctl-schedules';
  if (environment['REDIS_URL'] !== undefined)
    return new Queue(name, { connection: { url: environment['REDIS_URL'] } });
  const connection = { connectionString: environment['DATABASE_URL']!, max: 2 };
  return new (withBackend(createPostgresBackend).Queue)(name, { connection }) as unknown as Queue;
}

/** When the queue will ring for the job, and at which times of which clock. Null: it will not. */
export async function timesInQueue(queue: Queue, { jobId }: JobKey) {
  const found = await queue.getJobScheduler(jobId);
  return found?.next === undefined
    ? null
    : { cron: found.pattern, timezone: found.tz, next: new Date(found.next) };
}

/** Lets the queue ring now instead of at the job's next time. */
export async function ringNow(queue: Queue, { jobId }: JobKey): Promise<void> {
  const messages = (await queue.getDelayed()).filter((message) => message.data.id === jobId);
  if (messages.length !== 1) throw new Error(`${messages.length} messages wait for the job's time`);
  await messages[0]!.promote();
}
