import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runDags } from '../clients/airflow-dags.ts';
import { startClientSystem, type ClientSystem } from '../clients/client-system.ts';
import { filledIn, runShown } from '../clients/pages.ts';
import { readPage } from './page.ts';

const page = readPage('README.md');
let system: ClientSystem;

beforeAll(async () => {
  system = await startClientSystem();
}, 300_000);
afterAll(() => system.stop());

/** The one block of that language that holds this text. */
function shown(language: string, holds: string): string {
  const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  const found = blocks.filter(([, named, code = '']) => named === language && code.includes(holds));
  if (found.length !== 1) throw new Error(`${found.length} blocks of ${language} hold "${holds}"`);
  return found[0]![2]!;
}

test('the call that triggers a run does, with what npm start leaves in .dctl/env', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dctl-readme-'));
  try {
    const { projectId, jobId } = system.project;
    const ids = { DAGCTL_URL: system.url, DAGCTL_TOKEN: system.token, ORG_ID: system.organizationId };
    const environment = Object.entries({ ...ids, PROJECT_ID: projectId, JOB_ID: jobId });
    await mkdir(join(folder, '.dctl'));
    await writeFile(join(folder, '.dctl/env'), environment.map((entry) => entry.join('=')).join('\n'));
    const { stdout } = await promisify(execFile)('sh', ['-c', shown('sh', '/trigger"')], { cwd: folder });
    const answer = JSON.parse(stdout);
    const example = JSON.parse(shown('json', 'job_run_id'));
    expect(Object.keys(answer)).toEqual(Object.keys(example));
    expect(answer).toMatchObject({ message: example.message, job_id: jobId });
    const { body: run } = await system.call('GET', `/api/v1/runs/${answer.job_run_id}`);
    expect(run).toMatchObject({
      command_override: 'dbt build --select customers+',
      cause: 'new orders came in',
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the call that the page on the API begins with is answered with a list', async () => {
  const [, call = ''] = /^```sh\n(.*?)^```$/ms.exec(readPage('docs/api.md')) ?? [];
  expect(await runShown(system, call)).toEqual({ data: [], next_cursor: null });
});

test.each([2, 3] as const)(
  'the DAG runs dbt and is green, in Airflow %i',
  async (major) => {
    const { projectId, jobId } = system.project;
    const dag = filledIn(shown('python', 'HttpSensor'), { your_project_id: projectId, your_job_id: jobId });
    const [, host = '', extra = ''] =
      /--conn-host (\S+) .*--conn-extra '(.+)'/s.exec(shown('sh', 'airflow connections add dctl_api')) ?? [];
    const { dags, log } = await runDags(major, ['dbt'], {
      dags: { 'dbt.py': dag },
      connections: {
        dctl_api: {
          conn_type: 'http',
          host: filledIn(host, { 'http://dctl.example.com:3000': system.url }),
          extra: JSON.parse(filledIn(extra, { 'dctl_...': system.token })),
        },
      },
    });
    if (dags['dbt']?.state !== 'success') throw new Error(log);
    const runId = dags['dbt'].tasks['trigger']!.returned;
    const { body: run } = await system.call('GET', `/api/v1/runs/${runId}`);
    expect(run).toMatchObject({ status: 'success', command_override: 'dbt build' });
  },
  200_000,
);
