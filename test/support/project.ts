import { join } from 'node:path';
import { packFolder } from '../../scripts/setup/archive.ts';
import type { Answer, System } from './system.ts';
import { until } from './until.ts';

const example = join(process.cwd(), 'examples', 'jaffle_shop');

export interface DeployedProject {
  projectId: string;
  /** The first job: `scheduled-run`, `dbt build`. */
  jobId: string;
  environmentId: string;
}

/** Makes a project and deploys a folder to it: the example unless told otherwise. */
export async function deployProject(
  system: System,
  options: { name?: string; folder?: string; type?: 'dbt' | 'sqlmesh' } = {},
): Promise<DeployedProject> {
  const name = options.name ?? `project-${Math.random().toString(36).slice(2)}`;
  const type = options.type ?? 'dbt';
  const project = await expectStatus(201, system.call('POST', '/api/v1/projects', { name, type }));
  const archive = await packFolder(options.folder ?? example);
  const path = `/api/v1/projects/${project.body.id}`;
  const gzip = { 'content-type': 'application/gzip' };
  const deployed = await expectStatus(201, system.call('POST', `${path}/deployments`, archive, gzip));
  const environments = await expectStatus(200, system.call('GET', `${path}/environments`));
  return {
    projectId: project.body.id,
    jobId: deployed.body.job_id,
    environmentId: environments.body.data[0].id,
  };
}

/** Triggers a job and returns the run's id. */
export async function trigger(
  system: System,
  { projectId, jobId }: { projectId: string; jobId: string },
  body?: unknown,
  headers?: Record<string, string>,
): Promise<string> {
  const answer = system.call('POST', `/api/v1/projects/${projectId}/jobs/${jobId}/trigger`, body, headers);
  return (await expectStatus(200, answer)).body.job_run_id;
}

/** The run as the API shows it, once it has come to an end. */
export async function ended(system: System, runId: string, timeoutMs = 90_000): Promise<any> {
  return until(
    `run ${runId} has ended`,
    async () => (await system.call('GET', `/api/v1/runs/${runId}`)).body,
    (run) => ['success', 'partial', 'failed', 'error'].includes(run?.status),
    timeoutMs,
  );
}

/** Creates a job with the given fields over the first job's defaults. */
export async function createJob(
  system: System,
  projectId: string,
  fields: Record<string, unknown>,
): Promise<string> {
  const name = `job-${Math.random().toString(36).slice(2)}`;
  const job = system.call('POST', `/api/v1/projects/${projectId}/jobs`, {
    name,
    command: 'dbt build',
    ...fields,
  });
  return (await expectStatus(201, job)).body.id;
}

export async function expectStatus(status: number, asked: Promise<Answer>): Promise<Answer> {
  const answer = await asked;
  if (answer.status !== status)
    throw new Error(`expected ${status}, got ${answer.status}: ${answer.text.slice(0, 2_000)}`);
  return answer;
}
