import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deployProject, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system, { name: 'dw-main' });
});
afterAll(() => system.stop());

/** Runs a command of the published document in a shell, with this system's address and ids. */
async function shell(command: string): Promise<any> {
  const ours = command.replaceAll('https://api.dagctl.com', system.url);
  const { stdout } = await promisify(execFile)('bash', ['-c', ours], {
    env: {
      PATH: process.env['PATH'],
      DAGCTL_TOKEN: system.token,
      ORG_ID: system.organizationId,
      PROJECT_ID: project.projectId,
      JOB_ID: project.jobId,
    },
  });
  return JSON.parse(stdout);
}

const inUtc = (time: Date) => time.toISOString().replace(/\D/g, '').slice(0, 14);

test("the document's basic trigger is answered in the document's words", async () => {
  const before = inUtc(new Date());
  const answer =
    await shell(`curl -X POST "https://api.dagctl.com/api/v1/projects/\${PROJECT_ID}/jobs/\${JOB_ID}/trigger" \\
  -H "Authorization: Bearer \${DAGCTL_TOKEN}" \\
  -H "X-Organization-ID: \${ORG_ID}" \\
  -H "Content-Type: application/json"`);

  expect(Object.keys(answer)).toEqual(['message', 'job_run_id', 'job_id', 'job_name']);
  expect(answer.message).toBe('DBT job run triggered successfully');
  expect(answer.job_id).toBe(project.jobId);
  expect(answer.job_name).toMatch(/^scheduled-run-manual-\d{8}-\d{6}$/);
  const named = answer.job_name.slice('scheduled-run-manual-'.length).replace('-', '');
  expect(named >= before && named <= inUtc(new Date())).toBe(true);

  const { body: run } = await system.call('GET', `/api/v1/runs/${answer.job_run_id}`);
  expect(run).toMatchObject({
    status: 'queued',
    command: 'dbt build',
    command_override: null,
    triggered_by: 'manual',
  });
});

test("the document's trigger with a selector overrides the command for this run and leaves the job's as it was", async () => {
  const answer =
    await shell(`curl -X POST "https://api.dagctl.com/api/v1/projects/\${PROJECT_ID}/jobs/\${JOB_ID}/trigger" \\
  -H "Authorization: Bearer \${DAGCTL_TOKEN}" \\
  -H "X-Organization-ID: \${ORG_ID}" \\
  -H "Content-Type: application/json" \\
  -d '{"command_override": "dbt build --select my_model+"}'`);

  expect(answer.message).toBe('DBT job run triggered successfully');
  const { body: run } = await system.call('GET', `/api/v1/runs/${answer.job_run_id}`);
  expect(run).toMatchObject({ command: 'dbt build', command_override: 'dbt build --select my_model+' });
  const { body: job } = await system.call(
    'GET',
    `/api/v1/projects/${project.projectId}/jobs/${project.jobId}`,
  );
  expect(job.command).toBe('dbt build');
});

test("the document's webhook configuration is stored; the header's value and the secret are not shown", async () => {
  const answer =
    await shell(`curl -X PATCH "https://api.dagctl.com/api/v1/projects/\${PROJECT_ID}/jobs/\${JOB_ID}" \\
  -H "Authorization: Bearer \${DAGCTL_TOKEN}" \\
  -H "X-Organization-ID: \${ORG_ID}" \\
  -H "Content-Type: application/json" \\
  -d '{
    "webhook_enabled": true,
    "webhook_url": "https://your-airflow.example.com/api/v1/dags/downstream_pipeline/dagRuns",
    "webhook_headers": {
      "Authorization": "Basic dXNlcjpwYXNzd29yZA=="
    },
    "webhook_events": ["completed", "failed"]
  }'`);

  expect(answer).toMatchObject({
    id: project.jobId,
    webhook_enabled: true,
    webhook_url: 'https://your-airflow.example.com/api/v1/dags/downstream_pipeline/dagRuns',
    webhook_headers: { Authorization: '***' },
    webhook_events: ['completed', 'failed'],
  });
  expect(JSON.stringify(answer)).not.toMatch(/whsec_|dXNlcjpwYXNzd29yZA/);
});

test('GET projects is where the ids of projects and jobs are found', async () => {
  const { data } = await shell(
    'curl "https://api.dagctl.com/api/v1/projects" -H "Authorization: Bearer ${DAGCTL_TOKEN}" -H "X-Organization-ID: ${ORG_ID}"',
  );
  expect(data).toEqual([
    expect.objectContaining({
      id: project.projectId,
      name: 'dw-main',
      type: 'dbt',
      jobs: [{ id: project.jobId, name: 'scheduled-run', command: 'dbt build' }],
    }),
  ]);
});

test('shell metacharacters in an override are rejected, and no run is recorded', async () => {
  const countRuns = async () =>
    (await system.pool.query('SELECT count(*)::int AS count FROM runs')).rows[0].count;
  const before = await countRuns();
  for (const override of [
    'dbt build; ls',
    'dbt build && ls',
    'dbt build | tee',
    'dbt build > x',
    'dbt init',
    'ls',
  ]) {
    const path = `/api/v1/projects/${project.projectId}/jobs/${project.jobId}/trigger`;
    const { status, body } = await system.call('POST', path, { command_override: override });
    expect({ override, status }).toEqual({ override, status: 400 });
    expect(body.errors).toEqual([
      { pointer: '/command_override', detail: body.detail, position: expect.any(Number) },
    ]);
  }
  expect(await countRuns()).toBe(before);
});
