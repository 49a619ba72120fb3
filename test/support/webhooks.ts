import { spawnSync } from 'node:child_process';
import type { Context } from '../../src/context.ts';
import { recordDelivery, type ToldRun } from '../../src/webhooks/record-delivery.ts';
import { newWebhookSecret } from '../../src/webhooks/sign.ts';
import { createJob, deployProject, ended, expectStatus, trigger, type DeployedProject } from './project.ts';
import type { Hit } from './receiver.ts';
import type { System } from './system.ts';
import { until } from './until.ts';

/** The quickest thing dbt can be asked for that still is a whole run. */
export const quickCommand = 'dbt run-operation hello';

export interface JobKey {
  projectId: string;
  jobId: string;
}

/** A job that runs the quick command and tells `url` about it. */
export async function createWebhookJob(
  system: System,
  { projectId }: Pick<DeployedProject, 'projectId'>,
  url: string,
  fields: Record<string, unknown> = {},
): Promise<JobKey> {
  const webhook = { webhook_enabled: true, webhook_url: url };
  return {
    projectId,
    jobId: await createJob(system, projectId, { command: quickCommand, ...webhook, ...fields }),
  };
}

export function changeJob(system: System, { projectId, jobId }: JobKey, change: Record<string, unknown>) {
  return system.call('PATCH', `/api/v1/projects/${projectId}/jobs/${jobId}`, change);
}

/** A job's deliveries as the API lists them, newest first. */
export async function deliveriesOf(system: System, { projectId, jobId }: JobKey): Promise<any[]> {
  const path = `/api/v1/projects/${projectId}/jobs/${jobId}/deliveries?limit=100`;
  return (await expectStatus(200, system.call('GET', path))).body.data;
}

/** The delivery of a run's webhook, once nothing more will be sent. */
export async function deliveryEnded(
  system: System,
  job: JobKey,
  runId: string,
  timeoutMs = 60_000,
): Promise<any> {
  return until(
    `the delivery of run ${runId} has ended`,
    async () =>
      (await deliveriesOf(system, job)).find((each) => each.run_id === runId && each.kind !== 'hook'),
    (delivery) => delivery !== undefined && !['pending', 'sending'].includes(delivery.state),
    timeoutMs,
  );
}

/** Runs the job once: the run and its delivery when both have come to their end. */
export async function runAndTell(
  system: System,
  job: JobKey,
  body?: unknown,
): Promise<{ run: any; delivery: any }> {
  const runId = await trigger(system, job, body);
  const run = await ended(system, runId);
  return { run, delivery: await deliveryEnded(system, job, runId) };
}

/** The job's signing secret, the way whoever runs the server gets it. */
export function revealSecret(system: System, { jobId }: JobKey): string {
  const env = { PATH: process.env['PATH'] ?? '', ...system.environment };
  const shown = spawnSync(process.execPath, ['dist/src/operate.js', 'webhook-secret', jobId], {
    env,
    encoding: 'utf8',
  });
  if (shown.status !== 0) throw new Error(`no secret was shown: ${shown.stderr}`);
  return shown.stdout.trim();
}

/** The value of a header that came exactly once. */
export function headerOf({ rawHeaders }: Hit, name: string): string {
  const values = rawHeaders.filter(
    (_, index) => rawHeaders[index - 1]?.toLowerCase() === name && index % 2 === 1,
  );
  if (values.length !== 1) throw new Error(`${name} came ${values.length} times`);
  return values[0]!;
}

/** The JSON a receiver got. */
export function bodyOf({ body }: Hit): any {
  return JSON.parse(body.toString());
}

/** The requests that told of one run. */
export function hitsOf(hits: Hit[], runId: string): Hit[] {
  return hits.filter((hit) => bodyOf(hit).conf.job_run.id === runId);
}

/** A project whose runs end at once, with status `error`: their image is not there. For tests of what follows a run. */
export async function deployProjectWithoutImage(system: System): Promise<DeployedProject> {
  const project = await deployProject(system);
  const environment = `/api/v1/projects/${project.projectId}/environments/${project.environmentId}`;
  await expectStatus(200, system.call('PATCH', environment, { runner_image: 'no-such-image:1' }));
  return project;
}

/** Records a webhook of a run that nobody has executed, as the end of the run would. Nobody is told: no message. */
export async function recordWebhook(
  { db, secrets }: Pick<Context, 'db' | 'secrets'>,
  { projectId, jobId }: JobKey,
  runId: string,
  url: string,
): Promise<string> {
  const now = new Date();
  const run: ToldRun = {
    id: runId,
    jobId,
    status: 'success',
    triggeredBy: 'api',
    startedAt: now,
    finishedAt: now,
    durationMs: 0,
    commandOverride: null,
    errorMessage: null,
    cause: null,
    metadata: null,
  };
  const subject = {
    job: { id: jobId, name: 'told', command: quickCommand },
    project: { id: projectId, name: 'told', type: 'dbt' },
    organization: { id: 'told', name: 'told' },
  };
  const target = { url, secret: newWebhookSecret(), headers: {}, events: [] };
  return (await db.$transaction((tx) => recordDelivery(tx, secrets, target, 'job.completed', run, subject)))!;
}
