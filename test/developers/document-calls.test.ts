import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { asAnotherOrganization, insertToken, withToken } from '../support/organization.ts';
import { createJob, deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { startSystem, type Answer, type System } from '../support/system.ts';

let system: System;
let project: DeployedProject;
let ordersJobId: string;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system, { name: 'dw-main' });
  const { projectId, environmentId } = project;
  const connection = { type: 'duckdb', schema: 'raw_data' };
  await expectStatus(
    200,
    system.call('PATCH', `/api/v1/projects/${projectId}/environments/${environmentId}`, { connection }),
  );
  ordersJobId = await createJob(system, projectId, { name: 'orders', enabled: false });
});
afterAll(() => system.stop());

/** Runs a command of the published document in a shell, with this system's address, key and ids. */
async function shell(command: string, ids: Record<string, string> = {}): Promise<any> {
  const own: Record<string, string> = {
    'https://api.erathos.com': system.url,
    'https://cloud.getdbt.com/api/v2/accounts/{account_id}/jobs/': `${system.url}/api/v2/accounts/{account_id}/jobs/`,
    '{workspace_id}': system.organizationId,
    '{your_erathos_api_key}': system.token,
    '{dbt_personal_token}': system.token,
    ...ids,
  };
  const ours = Object.entries(own).reduce((text, [theirs, value]) => text.replaceAll(theirs, value), command);
  const { stdout } = await promisify(execFile)('bash', ['-c', ours], {
    env: { PATH: process.env['PATH'] },
  });
  return JSON.parse(stdout);
}

const workspace = (path: string) => `/developers/workspaces/${system.organizationId}${path}`;

test("the document's variable is made", async () => {
  const answer =
    await shell(`curl -X POST https://api.erathos.com/developers/workspaces/{workspace_id}/variables/ \\
  -H "Authorization: Api-Key {your_erathos_api_key}" \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "dbt_account_id",
    "value": "12345"
  }'`);
  expect(answer).toMatchObject({ _id: expect.any(String), name: 'dbt_account_id', value: '12345' });
  expect((await system.call('GET', workspace('/variables/'))).body).toEqual({ count: 1, results: [answer] });
});

test("the document's secret is made, and its value is not shown", async () => {
  const answer =
    await shell(`curl -X POST https://api.erathos.com/developers/workspaces/{workspace_id}/secrets/ \\
  -H "Authorization: Api-Key {your_erathos_api_key}" \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "dbt_personal_token",
    "value": "dbt_a1b2c3d4e5f6..."
  }'`);
  expect(answer).toMatchObject({ _id: expect.any(String), name: 'dbt_personal_token' });
  const listed = await expectStatus(200, system.call('GET', workspace('/secrets/')));
  expect(listed.body).toEqual({ count: 1, results: [answer] });
  const one = await expectStatus(200, system.call('GET', workspace(`/secrets/${answer._id}/`)));
  for (const shown of [answer, listed.body, one.body])
    expect(JSON.stringify(shown)).not.toMatch(/"value"|a1b2c3/);
});

test('the jobs are listed in both of the ways that the document asks for them', async () => {
  const answer =
    await shell(`curl -X GET "https://api.erathos.com/developers/workspaces/{workspace_id}/jobs/" \\
  -H "Authorization: Api-Key {your_erathos_api_key}"`);
  const connected = { schema_name: 'raw_data', connector_name: 'duckdb' };
  expect(answer).toEqual({
    count: 2,
    results: [
      { _id: project.jobId, name: 'scheduled-run', ...connected, is_active: true },
      { _id: ordersJobId, name: 'orders', ...connected, is_active: false },
    ],
  });

  const accounts = await shell(
    `curl "https://api.erathos.com/api/v2/accounts/" -H "Authorization: Bearer {dbt_personal_token}"`,
  );
  const jobs = await shell(
    `curl -X GET "https://cloud.getdbt.com/api/v2/accounts/{account_id}/jobs/" \\
  -H "Authorization: Bearer {dbt_personal_token}"`,
    { '{account_id}': String(accounts.data[0].id) },
  );
  expect(jobs.data.map((job: { name: string }) => job.name).toSorted()).toEqual(['orders', 'scheduled-run']);
});

test('with more jobs than are asked for, count still says how many there are', async () => {
  const { body } = await expectStatus(200, system.call('GET', workspace('/jobs/?limit=1&offset=1')));
  expect([body.count, body.results.map((job: { name: string }) => job.name)]).toEqual([2, ['orders']]);
});

test("the document's webhook is made, listed, and switched off by a PUT of that alone, whatever curl calls it", async () => {
  const made = await shell(
    `curl -X POST "https://api.erathos.com/developers/workspaces/{workspace_id}/orchestration/webhooks/" \\
  -H "Authorization: Api-Key {your_erathos_api_key}" \\
  -H "Content-Type: application/json" \\
  -d '{
    "description": "Trigger dbt Cloud job after successful orders ingestion",
    "is_active": true,
    "method": "POST",
    "url": "https://cloud.getdbt.com/api/v2/accounts/\${{variables.dbt_account_id}}/jobs/54321/run/",
    "header": {
      "Content-Type": "application/json",
      "Accept": "application/json",
      "Authorization": "Bearer \${{secrets.dbt_personal_token}}"
    },
    "body": {
      "cause": "Triggered by Erathos after successful ingestion of \${{erathos.TABLE_NAME}} | Execution ID: \${{erathos.EXECUTION_ID}} | Rows: \${{erathos.ROWS}}"
    },
    "rules": [
      {
        "variable_name": "STATUS",
        "operation": "EQUAL",
        "value": "FINISHED"
      },
      {
        "variable_name": "ROWS",
        "operation": "GREATER_THAN",
        "value": "0"
      },
      {
        "variable_name": "NESTED_TABLE",
        "operation": "EQUAL",
        "value": "false"
      }
    ],
    "jobs": [
      "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
    ]
  }'`.replaceAll('a1b2c3d4-e5f6-7890-abcd-ef1234567890', ordersJobId),
  );
  expect(made).toMatchObject({
    _id: expect.any(String),
    description: 'Trigger dbt Cloud job after successful orders ingestion',
    is_active: true,
    method: 'POST',
    url: 'https://cloud.getdbt.com/api/v2/accounts/${{variables.dbt_account_id}}/jobs/54321/run/',
    header: {
      'Content-Type': 'application/json',
      Accept: 'application/json',
      Authorization: 'Bearer ${{secrets.dbt_personal_token}}',
    },
    body: { cause: expect.stringMatching(/^Triggered by Erathos .* Rows: \$\{\{erathos\.ROWS\}\}$/) },
    rules: [
      { variable_name: 'STATUS', operation: 'EQUAL', value: 'FINISHED' },
      { variable_name: 'ROWS', operation: 'GREATER_THAN', value: '0' },
      { variable_name: 'NESTED_TABLE', operation: 'EQUAL', value: 'false' },
    ],
    jobs: [ordersJobId],
  });

  const key = `-H "Authorization: Api-Key {your_erathos_api_key}"`;
  const listed = await shell(
    `curl -X GET "https://api.erathos.com/developers/workspaces/{workspace_id}/orchestration/webhooks/" ${key}`,
  );
  expect(listed).toEqual({ count: 1, results: [made] });

  const webhooks = 'https://api.erathos.com/developers/workspaces/{workspace_id}/orchestration/webhooks';
  const off = await shell(
    `curl -X PUT ".../webhooks/{webhook_id}/" ${key} \\
-d '{"is_active": false}'`.replace('.../webhooks', webhooks),
    { '{webhook_id}': made._id },
  );
  expect(off).toEqual({ ...made, is_active: false, updated_at: expect.any(String) });

  const path = workspace(`/orchestration/webhooks/${made._id}/`);
  const back = await expectStatus(200, system.call('PUT', path, { ...off, is_active: true }));
  expect(back.body).toEqual({ ...made, updated_at: expect.any(String) });
  await expectStatus(200, system.call('GET', path));
  await expectStatus(204, system.call('DELETE', path));
  await expectStatus(404, system.call('GET', path));
});

test('a workspace is the organization by its id or its number, and each of the others looks as if there were none', async () => {
  const { rows } = await system.pool.query('SELECT number FROM organizations WHERE id = $1', [
    system.organizationId,
  ]);
  const stranger = await asAnotherOrganization(system);
  const jobsOf = (who: System, id: string): Promise<Answer> =>
    who.call('GET', `/developers/workspaces/${id}/jobs`);
  expect((await jobsOf(system, String(rows[0].number))).body.count).toBe(2);
  const [foreign, missing] = [
    await jobsOf(stranger, system.organizationId),
    await jobsOf(stranger, 'no-such-workspace'),
  ];
  expect([foreign.status, foreign.text]).toEqual([404, missing.text]);
  expect(foreign.headers.get('content-type')).toMatch(/^application\/problem\+json/);
});

test('a key that may only read reads, and is refused what it may not', async () => {
  const token = await insertToken(system, { scope: 'read' });
  const reader = withToken(system, token);
  const asKey = (method: string, body?: unknown) =>
    system.call(method, workspace('/variables/'), body, { authorization: `Api-Key ${token}` });
  expect((await asKey('GET')).status).toBe(200);
  expect((await asKey('POST', { name: 'other', value: '1' })).status).toBe(403);
  expect((await reader.call('POST', workspace('/secrets/'), { name: 'other', value: '1' })).status).toBe(403);
  const wrong = await system.call('GET', workspace('/variables/'), undefined, {
    authorization: 'Api-Key erathos_abc123456',
  });
  expect(wrong.status).toBe(401);
});

test('what is refused is named where it stands', async () => {
  const refused = await expectStatus(
    400,
    system.call('POST', workspace('/orchestration/webhooks/'), {
      url: 'https://example.com/',
      body: { a: [{ b: '${{erathos.NO_SUCH}}' }] },
    }),
  );
  expect(refused.body.errors).toMatchObject([{ pointer: '/body/a/0/b' }]);
  expect(refused.body.detail).toContain('NO_SUCH');
});
