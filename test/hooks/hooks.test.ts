import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSecrets } from '../../src/secrets.ts';
import { countWaiting } from '../support/waiting.ts';
import { insertToken, withToken } from '../support/organization.ts';
import { createJob, deployProject, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type Answer, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { quickCommand } from '../support/webhooks.ts';

/** No worker is up: nothing is sent. */
let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
  await newValue('variables', 'account', '12345');
  await newValue('variables', 'anywhere', 'example.org/');
  await newValue('secrets', 'token', 'planted "s3cr3t"');
});
afterAll(() => system.stop());

const below = '/api/v1/orchestration';
const newName = () => `n${randomUUID().replaceAll('-', '')}`;
const post = (path: string, body: unknown) => system.call('POST', path, body);
const pointersOf = ({ body }: Answer): string[] => body.errors?.map((each: any) => each.pointer) ?? [];

async function newValue(kind: 'variables' | 'secrets', name = newName(), value = 'ours'): Promise<any> {
  return (await expectStatus(201, post(`${below}/${kind}`, { name, value }))).body;
}

async function newHook(fields: Record<string, unknown> = {}): Promise<any> {
  return (await expectStatus(201, post('/api/v1/hooks', { url: 'https://example.com/run', ...fields }))).body;
}

const patchHook = (id: string, change: unknown) => system.call('PATCH', `/api/v1/hooks/${id}`, change);

describe.each(['variables', 'secrets'] as const)('%s', (kind) => {
  const path = `${below}/${kind}`;
  const noun = kind === 'variables' ? 'variable' : 'secret';

  test('are made, listed, changed and deleted', async () => {
    const name = newName();
    const made = await newValue(kind, name, 'first');
    const { value, ...shown } = made;
    expect(value).toBe(kind === 'variables' ? 'first' : undefined);
    expect(shown).toEqual({
      id: expect.any(String),
      name,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect((await system.call('GET', `${path}/${made.id}`)).body).toEqual(made);
    const all = await expectStatus(200, system.call('GET', `${path}?limit=200`));
    expect(all.body.data).toContainEqual(made);

    const renamed = newName();
    const changed = await expectStatus(
      200,
      system.call('PATCH', `${path}/${made.id}`, { name: renamed, value: 'second' }),
    );
    expect(changed.body).toMatchObject({
      id: made.id,
      name: renamed,
      ...(value === undefined ? {} : { value: 'second' }),
    });
    await expectStatus(204, system.call('DELETE', `${path}/${made.id}`));
    await expectStatus(404, system.call('GET', `${path}/${made.id}`));
    await expectStatus(404, system.call('DELETE', `${path}/${made.id}`));
  });

  test('have one name each', async () => {
    const [one, other] = [await newValue(kind), await newValue(kind)];
    const taken = await expectStatus(409, post(path, { name: one.name, value: 'x' }));
    expect(taken.body.detail).toContain(`There is a ${noun} ${one.name} already`);
    await expectStatus(409, system.call('PATCH', `${path}/${other.id}`, { name: one.name }));
    await expectStatus(200, system.call('PATCH', `${path}/${one.id}`, { name: one.name }));
  });

  test.each(['', 'with space', 'a.b', '${{run.ROWS}}', '1st', 'ä', 'x'.repeat(101)])(
    'are not named %p',
    async (name) => {
      expect(pointersOf(await expectStatus(400, post(path, { name, value: 'x' })))).toEqual(['/name']);
    },
  );

  test('that a hook names are neither renamed nor deleted before it is changed', async () => {
    for (const place of [
      (name: string) => ({ url: `https://example.com/\${{${kind}.${name}}}/` }),
      (name: string) => ({ header: { Authorization: `Bearer \${{ ${kind}.${name} }}` } }),
      (name: string) => ({ body: { list: [{ deep: `x \${{\n${kind}.${name}}}` }] } }),
    ]) {
      const value = await newValue(kind);
      const hook = await newHook({ description: 'to Airflow', is_active: false, ...place(value.name) });
      for (const refused of [
        await system.call('DELETE', `${path}/${value.id}`),
        await system.call('PATCH', `${path}/${value.id}`, { name: newName() }),
      ]) {
        expect(refused.status).toBe(409);
        expect(refused.body.detail).toContain(`the hook ${hook.id} (to Airflow) names it`);
      }
      await expectStatus(200, system.call('PATCH', `${path}/${value.id}`, { value: 'another' }));
      await expectStatus(204, system.call('DELETE', `/api/v1/hooks/${hook.id}`));
      await expectStatus(204, system.call('DELETE', `${path}/${value.id}`));
    }
  });

  test('cannot be deleted while a hook that names them is being saved', async () => {
    const value = await newValue(kind);
    const other = await system.pool.connect();
    try {
      await other.query('BEGIN');
      await other.query(`SELECT pg_advisory_xact_lock(hashtextextended('hooks ' || $1, 0))`, [
        system.organizationId,
      ]);
      const saved = post('/api/v1/hooks', { url: `https://example.com/\${{${kind}.${value.name}}}` });
      await until(
        'the hook waits',
        () => countWaiting(system),
        (waiting) => waiting === 1,
      );
      const removed = system.call('DELETE', `${path}/${value.id}`);
      await until(
        'so does the deletion',
        () => countWaiting(system),
        (waiting) => waiting === 2,
      );
      await other.query('COMMIT');
      const statuses = [(await saved).status, (await removed).status];
      expect([
        [201, 409],
        [400, 204],
      ]).toContainEqual(statuses);
    } finally {
      other.release(true);
    }
  });
});

describe('a hook', () => {
  test('is kept as it was sent, and partly changed', async () => {
    const wanted = {
      description: 'Trigger dbt Cloud job',
      is_active: true,
      method: 'POST',
      url: 'https://cloud.getdbt.com/api/v2/accounts/${{variables.account}}/jobs/54321/run/',
      header: {
        'Content-Type': 'application/json',
        Accept: 'application/json',
        Authorization: 'Bearer ${{secrets.token}}',
      },
      body: { cause: 'after ${{erathos.TABLE_NAME}} | ${{erathos.EXECUTION_ID}} | Rows: ${{erathos.ROWS}}' },
      rules: [
        { variable_name: 'STATUS', operation: 'EQUAL', value: 'FINISHED' },
        { variable_name: 'ROWS', operation: 'GREATER_THAN', value: '0' },
        { variable_name: 'NESTED_TABLE', operation: 'EQUAL', value: 'false' },
      ],
      jobs: [project.jobId],
    };
    const hook = await newHook(wanted);
    expect(hook).toMatchObject({ ...wanted, auth: null });
    const path = `/api/v1/hooks/${hook.id}`;
    expect((await system.call('GET', path)).body).toEqual(hook);
    const off = await expectStatus(200, patchHook(hook.id, { is_active: false }));
    expect(off.body).toEqual({ ...hook, is_active: false, updated_at: expect.any(String) });
    const { body } = await expectStatus(200, system.call('GET', '/api/v1/hooks?limit=200'));
    expect(body.data).toContainEqual(off.body);
    await expectStatus(204, system.call('DELETE', path));
    await expectStatus(404, system.call('GET', path));
    expect((await expectStatus(200, system.call('GET', `${path}/deliveries`))).body.data).toEqual([]);
  });

  const refusals: [what: string, fields: Record<string, unknown>, pointers: string[]][] = [
    ['an unknown name', { body: { a: ['${{secrets.nobody}}'] } }, ['/body/a/0']],
    ['an expression', { body: { a: '${{run.ROWS + 1}}' } }, ['/body/a']],
    ['a name of JavaScript', { url: 'https://example.com/${{constructor.name}}' }, ['/url']],
    [
      'several at once',
      { url: 'https://example.com/${{run.X}}', header: { X: '${{env.Y}}' } },
      ['/url', '/header/X'],
    ],
    ['an address within', { url: 'http://10.0.0.1/${{run.ROWS}}' }, ['/url']],
    ['a host made of the run', { url: 'https://${{run.JOB_NAME}}.example.com/' }, ['/url']],
    ['a user in the URL', { url: 'https://me:${{secrets.token}}@example.com/' }, ['/url']],
    ['a header of the delivery itself', { header: { 'webhook-id': 'x' } }, ['/header/webhook-id']],
    ['a header that frames the request', { header: { 'Content-Length': '1' } }, ['/header/Content-Length']],
    ['a line break', { header: { 'X-Ours': 'a\r\nX-Evil: 1' } }, ['/header/X-Ours']],
    ['another content type', { header: { 'Content-Type': 'text/xml' } }, ['/header/Content-Type']],
    ['a name of a header twice', { header: { Accept: 'a', accept: 'b' } }, ['/header/accept']],
    ['nothing behind ***', { header: { 'X-Ours': '***' } }, ['/header/X-Ours']],
    ['a body with GET', { method: 'GET', body: { a: 1 } }, ['/body']],
    ['a body that is no object', { body: 'text' }, ['/body']],
    ['a method', { method: 'TRACE' }, ['/method']],
    [
      'an operation',
      { rules: [{ variable_name: 'ROWS', operation: 'MORE', value: 1 }] },
      ['/rules/0/operation'],
    ],
    [
      'a name in a rule',
      { rules: [{ variable_name: 'rows', operation: 'EQUAL', value: 1 }] },
      ['/rules/0/variable_name'],
    ],
    ['a job', { jobs: [randomUUID()] }, ['/jobs/0']],
    ['an unknown field', { headers: {} }, ['']],
    [
      'a password as a template',
      {
        url: 'https://example.com/api/v2/dags/a/dagRuns',
        auth: { type: 'airflow_jwt', username: 'u', password: '${{secrets.token}}' },
      },
      ['/auth/password'],
    ],
    [
      'a sign-in that is not for Airflow',
      { auth: { type: 'airflow_jwt', username: 'u', password: 'p' } },
      ['/auth/type'],
    ],
    [
      'a credential for a host made of values',
      { url: 'https://${{variables.account}}.example.com/', header: { 'X-Key': 'literal' } },
      ['/header/X-Key'],
    ],
  ];
  test.each(refusals)('is refused with %s', async (_what, fields, pointers) => {
    const answer = await expectStatus(
      400,
      post('/api/v1/hooks', { url: 'https://example.com/run', ...fields }),
    );
    expect(pointersOf(answer)).toEqual(pointers);
    expect(answer.text).not.toContain('s3cr3t');
  });

  test('is refused where its body is nested deeper than anybody writes', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const text = Buffer.from(`{"url": "https://example.com/", "body": ${deep}}`);
    const json = { 'content-type': 'application/json' };
    const answer = await expectStatus(400, system.call('POST', '/api/v1/hooks', text, json));
    expect(pointersOf(answer)).toEqual(['/body']);
  });

  test('shows nothing of a header that may be a secret, and keeps it for the host it was given for', async () => {
    const header = {
      'X-Key': 'literal-credential',
      Authorization: 'Api-Key ${{secrets.token}}',
      'X-Job': '${{run.JOB_NAME}}',
      'User-Agent': 'ours/1.0',
    };
    const hook = await newHook({ header });
    expect(hook.header).toEqual({ ...header, 'X-Key': '***' });
    const same = await expectStatus(
      200,
      patchHook(hook.id, { header: hook.header, url: 'https://example.com/other' }),
    );
    expect(same.body.header).toEqual(hook.header);
    expect(await openedHeaders(hook.id)).toEqual(header);

    for (const change of [
      { url: 'https://example.org/run' },
      { url: 'https://example.org/run', header: hook.header },
      { url: 'https://${{variables.account}}.example.com/' },
      // Which is not the host that it looks like, as soon as the value has a / in it.
      { url: 'https://${{variables.anywhere}}@example.com/run' },
    ])
      expect(pointersOf(await expectStatus(400, patchHook(hook.id, change)))).toContain('/header/X-Key');
    const moved = { url: 'https://example.org/run', header: { ...hook.header, 'X-Key': 'another' } };
    await expectStatus(200, patchHook(hook.id, moved));
    expect((await openedHeaders(hook.id))['X-Key']).toBe('another');
  });

  test('shows no password of its sign-in, and keeps that for its host', async () => {
    const auth = { type: 'airflow_jwt', username: 'dctl', password: 'planted password' };
    const url = 'https://airflow.example.com/api/v2/dags/${{run.JOB_NAME}}/dagRuns';
    const hook = await newHook({ url, auth });
    const shown = { ...auth, password: '***', token_url: 'https://airflow.example.com/auth/token' };
    expect(hook.auth).toEqual(shown);
    await expectStatus(200, patchHook(hook.id, { auth: shown, description: 'again' }));
    const elsewhere = url.replace('airflow', 'other');
    expect(pointersOf(await expectStatus(400, patchHook(hook.id, { url: elsewhere })))).toEqual(['/auth']);
    const both = { header: { Authorization: 'Bearer ${{secrets.token}}' } };
    expect(pointersOf(await expectStatus(400, patchHook(hook.id, both)))).toEqual(['/auth']);
    expect(
      (await expectStatus(200, patchHook(hook.id, { url: elsewhere, auth: null }))).body.auth,
    ).toBeNull();
  });

  test('may be of an organization a hundred times', async () => {
    const organization = await anotherOrganization();
    const make = () => organization.call('POST', '/api/v1/hooks', { url: 'https://example.com/run' });
    await system.pool.query(
      `INSERT INTO hooks (id, organization_id, method, url, headers)
       SELECT gen_random_uuid(), $1, 'POST', 'https://example.com', '' FROM generate_series(1, 99)`,
      [organization.organizationId],
    );
    const { body } = await expectStatus(201, make());
    expect((await expectStatus(409, make())).body.detail).toContain('There are 100 hooks already');
    await expectStatus(204, organization.call('DELETE', `/api/v1/hooks/${body.id}`));
    await expectStatus(201, make());
  });
});

describe('a preview', () => {
  const hook = {
    url: 'https://example.com/${{variables.account}}/${{secrets.token}}?rows=${{run.ROWS}}',
    header: { Authorization: 'Bearer ${{secrets.token}}', 'X-Key': 'literal' },
    body: {
      cause: '${{erathos.TABLE_NAME}} ${{run.STATUS}} ${{run.FAILED_NODES}}',
      token: '${{secrets.token}}',
    },
    rules: [
      { variable_name: 'STATUS', operation: 'EQUAL', value: 'PARTIAL' },
      { variable_name: 'ROWS', operation: 'GREATER_THAN', value: '1546' },
    ],
  };
  // The secret has spaces and quotes in it: fine in a body, and in a header, but not in a URL.
  const sendable = { ...hook, url: 'https://example.com/${{variables.account}}?rows=${{run.ROWS}}' };

  test('shows what a run would send, with the rules one by one, and stores nothing', async () => {
    const { runId, jobName } = await endedRun();
    const before = await rowCounts();
    const { body } = await expectStatus(
      200,
      post('/api/v1/hooks/preview', { hook: sendable, run_id: runId }),
    );
    expect(body).toEqual({
      would_send: true,
      why_not: null,
      rules: [
        { ...hook.rules[0], actual: 'PARTIAL', holds: true },
        { ...hook.rules[1], actual: '1547', holds: true },
      ],
      request: {
        method: 'POST',
        url: 'https://example.com/12345?rows=1547',
        headers: { Authorization: 'Bearer ***', 'X-Key': '***' },
        body: { cause: `${jobName} PARTIAL model.shop.a, test.shop.b`, token: '***' },
      },
      problems: [],
    });
    expect(await rowCounts()).toEqual(before);
  });

  test('of a stored hook says why nothing would be sent', async () => {
    const { runId } = await endedRun();
    const why = async (fields: Record<string, unknown>) => {
      const { id } = await newHook({ ...sendable, ...fields });
      const reader = withToken(system, await insertToken(system, { scope: 'read' }));
      const answer = await expectStatus(
        200,
        reader.call('POST', `/api/v1/hooks/${id}/preview`, { run_id: runId }),
      );
      expect(answer.body.would_send).toBe(answer.body.why_not === null);
      return answer.body.why_not;
    };
    expect(await why({})).toBeNull();
    expect(await why({ is_active: false })).toContain('switched off');
    expect(await why({ jobs: [project.jobId] })).toContain('not among the jobs');
    const rules = [{ variable_name: 'CAUSE', operation: 'NOT_EQUAL', value: 'x' }];
    expect(await why({ rules })).toBe('There is no CAUSE, so CAUSE NOT_EQUAL "x" does not hold.');
    expect(await why({ header: { 'X-Failed': '${{run.ERROR_MESSAGE}}' } })).toContain('visible ASCII');
  });

  test('of a hook that could not be saved says what is wrong with it', async () => {
    const { runId } = await endedRun();
    const broken = { ...hook, jobs: ['nobody'], body: { a: '${{run.X}}' } };
    const { body } = await expectStatus(200, post('/api/v1/hooks/preview', { hook: broken, run_id: runId }));
    expect(body).toMatchObject({ would_send: false, request: null });
    expect(body.problems.map(({ pointer }: any) => pointer)).toEqual(['/body/a', '/jobs/0']);
    const spaces = await expectStatus(200, post('/api/v1/hooks/preview', { hook, run_id: runId }));
    expect(spaces.body.problems).toMatchObject([{ pointer: '/url' }]);
    expect(spaces.text).not.toContain('s3cr3t');
  });

  test('is of a run that has ended, of the organization', async () => {
    const waiting = await trigger(system, project);
    for (const run_id of [waiting, randomUUID()])
      await expectStatus(404, post('/api/v1/hooks/preview', { hook: sendable, run_id }));
  });
});

async function anotherOrganization(): Promise<System> {
  const organizationId = randomUUID();
  await system.pool.query('INSERT INTO organizations (id, name) VALUES ($1, $1)', [organizationId]);
  return { ...withToken(system, await insertToken(system, { organizationId })), organizationId };
}

/** A run that ended in part, with two rows of results that count and one that does not say. */
async function endedRun(): Promise<{ runId: string; jobName: string }> {
  const jobName = newName();
  const jobId = await createJob(system, project.projectId, { name: jobName, command: quickCommand });
  const runId = await trigger(system, { ...project, jobId });
  await system.pool.query(
    `UPDATE runs SET status = 'partial', error_message = E'2 of 3\nnodes failed', started_at = now(),
       finished_at = now(), duration_ms = 1500 WHERE id = $1`,
    [runId],
  );
  await system.pool.query(
    `INSERT INTO node_results (run_id, unique_id, resource_type, status, rows_affected) VALUES
       ($1, 'model.shop.c', 'model', 'success', 1500), ($1, 'model.shop.a', 'model', 'error', 47),
       ($1, 'test.shop.b', 'test', 'fail', -1), ($1, 'model.shop.d', 'model', 'skipped', NULL)`,
    [runId],
  );
  return { runId, jobName };
}

async function rowCounts(): Promise<unknown> {
  const sql = `SELECT (SELECT count(*) FROM deliveries) AS deliveries, (SELECT count(*) FROM hooks) AS hooks,
    (SELECT count(*) FROM audit_events) AS audited`;
  return (await system.pool.query(sql)).rows;
}

async function openedHeaders(id: string): Promise<Record<string, string>> {
  const { rows } = await system.pool.query('SELECT headers FROM hooks WHERE id = $1', [id]);
  const { open } = createSecrets(system.environment['DCTL_SECRET_KEY']!);
  return JSON.parse(open(rows[0].headers, `hooks:${id}:headers`));
}
