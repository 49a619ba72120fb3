import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { expectNoErrors } from '../support/errors.ts';
import { createRule, createSource, send, signed, type Source, type Style } from '../support/events.ts';
import { asAnotherOrganization, insertToken, withToken } from '../support/organization.ts';
import { createJob, deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { runsOf } from '../support/schedules.ts';
import { startSystem, type Answer, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { countWaiting } from '../support/waiting.ts';
import { changeJob } from '../support/webhooks.ts';

/** No worker is up: runs stay queued. */
let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
});
afterAll(() => system.stop());
afterEach(() => expectNoErrors(system));

const styles: Style[] = ['token', 'standard_webhooks', 'github', 'stripe'];
const counted = async (sql: string, values: unknown[]) =>
  Number((await system.pool.query(sql, values)).rows[0].count);
const eventsIn = ({ id }: Source) => counted('SELECT count(*) FROM events WHERE source_id = $1', [id]);
const old = () => new Date(Date.now() - 6 * 60_000);
const early = () => new Date(Date.now() + 6 * 60_000);

describe.each(styles)('a source that shows itself as %s does', (auth) => {
  let source: Source;
  let jobId: string;
  const body = JSON.stringify({ id: 'of the body', table: 'Zürich', rows: 12 });

  beforeAll(async () => {
    source = await createSource(system, auth);
    ({ jobId } = await createRule(system, source, project, {
      conditions: [{ variable_name: 'rows', operation: 'GREATER_THAN', value: '0' }],
    }));
  });

  test('has its events taken, and each makes one run however often it comes', async () => {
    const first = await expectStatus(200, send(system, source, 'one', body));
    expect(first.body).toMatchObject({
      external_id: auth === 'stripe' ? 'of the body' : 'one',
      source_name: source.name,
      duplicate: false,
      verdicts: [{ verdict: 'run', reason: null, run_id: expect.any(String) }],
    });
    const again = await expectStatus(200, send(system, source, 'one', body));
    expect(again.body).toEqual({ ...first.body, duplicate: true });
    expect(await runsOf(system, { ...project, jobId })).toMatchObject([
      {
        id: first.body.verdicts[0].run_id,
        triggered_by: 'event',
        requested_by: source.name,
        cause: `Event ${first.body.id} of "${source.name}", by the rule "${first.body.verdicts[0].rule_name}".`,
      },
    ]);
  });

  test('has nothing taken that is not its own: all of it looks like a source that is not there', async () => {
    const before = await eventsIn(source);
    const right = signed(source, 'two', body);
    const other = await createSource(system, auth);
    const wrong: [string, Record<string, string>, string?][] = [
      ['nothing', {}],
      ["another source's secret", signed({ ...source, secret: other.secret }, 'two', body)],
      ...Object.keys(right)
        .filter(
          (name) =>
            !['webhook-id', 'x-github-delivery', 'x-github-event'].includes(name) ||
            auth === 'standard_webhooks',
        )
        .flatMap((name): [string, Record<string, string>][] => [
          [`no ${name}`, Object.fromEntries(Object.entries(right).filter(([each]) => each !== name))],
          [`an empty ${name}`, { ...right, [name]: '' }],
          [`a changed ${name}`, { ...right, [name]: `${right[name]}x` }],
        ]),
      ...(auth === 'token'
        ? []
        : ([['another body', right, `${body} `]] as [string, Record<string, string>, string][])),
      ...(auth === 'standard_webhooks' || auth === 'stripe'
        ? ([
            ['an old one', signed(source, 'two', body, old())],
            ['one of the future', signed(source, 'two', body, early())],
          ] as [string, Record<string, string>][])
        : []),
      ...styles
        .filter((style) => style !== auth)
        .map((style): [string, Record<string, string>] => [
          `the manner of ${style}`,
          signed(
            {
              ...source,
              auth: style,
              secret:
                style === 'standard_webhooks'
                  ? `whsec_${Buffer.from(source.secret).toString('base64')}`
                  : source.secret,
            },
            'two',
            body,
          ),
        ]),
    ];
    const unknown = await send(system, { ...source, id: 'no-such-source' }, 'two', body);
    expect(unknown.status).toBe(401);
    for (const [what, headers, sent = body] of wrong) {
      const answer = await send(system, source, 'two', sent, headers);
      expect({ what, status: answer.status, text: answer.text }).toEqual({
        what,
        status: 401,
        text: unknown.text,
      });
    }
    const switchedOff = await expectStatus(
      200,
      system.call('PATCH', `/api/v1/event-sources/${other.id}`, { is_active: false }),
    );
    expect(switchedOff.body.is_active).toBe(false);
    expect((await send(system, other, 'two', body)).status).toBe(409);
    expect((await send(system, source, 'two', body, signed(other, 'two', body))).text).toBe(unknown.text);
    expect(await eventsIn(source)).toBe(before);
  });

  test('has another secret from the moment it is changed', async () => {
    const path = `/api/v1/event-sources/${source.id}/rotate-secret`;
    const { body: rotated } = await expectStatus(200, system.call('POST', path));
    expect(rotated.secret).not.toBe(source.secret);
    expect((await send(system, source, 'three', body)).status).toBe(401);
    const { text } = await expectStatus(200, system.call('GET', `/api/v1/event-sources/${source.id}`));
    expect(text).not.toContain('secret');
    await expectStatus(
      200,
      send(system, { ...source, secret: rotated.secret }, 'three', `{"id":"three","rows":0}`),
    );
    source = { ...source, secret: rotated.secret };
  });
});

test('a sender that made its secret itself is known by that one', async () => {
  for (const [auth, secret] of [
    ['github', 'something long enough'],
    ['stripe', 'whsec_of_stripe_1234567890'],
    ['standard_webhooks', `whsec_${Buffer.from('a key of 24 bytes at all').toString('base64')}`],
  ] as const) {
    const source = await createSource(system, auth, { secret });
    expect(source.secret).toBe(secret);
    await expectStatus(200, send(system, source, 'x', {}));
  }
  const refused = { name: 'refused', auth: 'standard_webhooks', secret: 'whsec_!!!!!!!!!!!!!!!!' };
  expect((await system.call('POST', '/api/v1/event-sources', refused)).body.errors[0].pointer).toBe(
    '/secret',
  );
  const own = { name: 'refused', auth: 'token', secret: 'a token that is given' };
  expect((await system.call('POST', '/api/v1/event-sources', own)).status).toBe(400);
});

test('an API token that may trigger brings events of its organization alone, by id or name', async () => {
  const source = await createSource(system, 'github', { id_field: 'meta.key' });
  const as = async (scope: 'read' | 'trigger') => withToken(system, await insertToken(system, { scope }));
  const operator = await as('trigger');
  const path = `/api/v1/events/${source.name}`;
  const { body } = await expectStatus(
    200,
    operator.call('POST', path, { meta: { key: 12345678901234567890n.toString() } }),
  );
  expect(body.external_id).toBe('12345678901234567890');
  const exact = Buffer.from('{"meta": {"key": 12345678901234567890}}');
  expect((await operator.call('POST', `/api/v1/events/${source.id}`, exact)).body).toEqual({
    ...body,
    duplicate: true,
  });
  expect((await (await as('read')).call('POST', path, {})).status).toBe(403);
  const stranger = await asAnotherOrganization(system);
  expect((await stranger.call('POST', `/api/v1/events/${source.id}`, {})).status).toBe(404);
  expect((await stranger.call('GET', `/api/v1/events/${body.id}`)).status).toBe(404);
});

test('the same event fifty times at once is one event with one run', async () => {
  const source = await createSource(system, 'standard_webhooks');
  const { jobId } = await createRule(system, source, project);
  const { jobId: second } = await createRule(system, source, project, { window_seconds: 600 });
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => expectStatus(200, send(system, source, 'the one', { table: 'orders' }))),
  );
  const { duplicate: _, ...event } = answers[0]!.body;
  for (const { body } of answers) expect(body).toMatchObject(event);
  expect(answers.filter(({ body }) => !body.duplicate)).toHaveLength(1);
  expect(await eventsIn(source)).toBe(1);
  expect(await runsOf(system, { ...project, jobId })).toHaveLength(1);
  expect(await runsOf(system, { ...project, jobId: second })).toEqual([]);
  const gathered =
    'SELECT sum(event_count)::int AS count FROM event_gatherings WHERE rule_id IN (SELECT id FROM event_rules WHERE source_id = $1)';
  expect(await counted(gathered, [source.id])).toBe(1);
});

test('events of several sources at once make all their runs, though those take the places of one another', async () => {
  const jobs = await Promise.all(
    [1, 2].map(() => createJob(system, project.projectId, { replace_queued: true })),
  );
  const sources = await Promise.all([1, 2].map(() => createSource(system)));
  for (const [place, source] of sources.entries())
    for (const job_id of place === 0 ? jobs : jobs.toReversed())
      await createRule(system, source, project, { job_id });
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, number) =>
      expectStatus(200, send(system, sources[number % 2]!, String(number), {})),
    ),
  );
  const verdicts = answers.flatMap(({ body }) => body.verdicts);
  expect(verdicts).toHaveLength(120);
  expect(verdicts.filter(({ verdict }) => verdict !== 'run')).toEqual([]);
  const waiting = "SELECT count(*) FROM runs WHERE job_id = ANY($1) AND status = 'queued'";
  expect(await counted(waiting, [jobs])).toBe(2);
});

test('an event that was on its way when its rule began to gather joins the others as any that comes later', async () => {
  const source = await createSource(system);
  const rule = await createRule(system, source, project);
  const [earlier, locking] = await Promise.all([system.pool.connect(), system.pool.connect()]);
  const waiting = (query: string) =>
    until(
      `${query} waits`,
      () => countWaiting(system, query),
      (count) => count === 1,
      10_000,
    );
  try {
    await earlier.query('BEGIN');
    await earlier.query(
      "INSERT INTO events (id, organization_id, source_id, external_id, body) VALUES ('e', $1, $2, 'one', '{}')",
      [system.organizationId, source.id],
    );
    const sending = send(system, source, 'one', {});
    await waiting('%INSERT INTO events%');
    await expectStatus(200, system.call('PATCH', `/api/v1/event-rules/${rule.id}`, { window_seconds: 600 }));
    await locking.query('BEGIN');
    await locking.query('SELECT id FROM event_rules WHERE id = $1 FOR NO KEY UPDATE', [rule.id]);
    await earlier.query('ROLLBACK');
    await waiting('%event_rules%FOR NO KEY UPDATE%');
    await locking.query('COMMIT');
    const { body } = await expectStatus(200, sending);
    expect(body.verdicts).toMatchObject([{ verdict: 'gathering' }]);
  } finally {
    earlier.release(true);
    locking.release(true);
  }
});

test('an event without an id of its own is like no other', async () => {
  const source = await createSource(system);
  const headers = { authorization: `Bearer ${source.secret}` };
  const [first, second] = await Promise.all(
    [1, 2].map(() => expectStatus(200, send(system, source, '', { a: 1 }, headers))),
  );
  expect(first!.body.external_id).toBeNull();
  expect(first!.body.id).not.toBe(second!.body.id);
  for (const data of [{ event_id: 'e-1' }, { event_id: 'e-1', id: 2 }])
    await send(system, source, '', data, headers);
  await send(system, source, '', { other: 1 }, { ...headers, 'idempotency-key': 'e-1' });
  expect(
    await counted("SELECT count(*) FROM events WHERE source_id = $1 AND external_id = 'e-1'", [source.id]),
  ).toBe(1);
});

test('what is no event is refused with a sentence, and leaves nothing', async () => {
  const source = await createSource(system);
  const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  const cases: [string, number][] = [
    ['', 400],
    ['x', 400],
    ['[]', 400],
    ['null', 400],
    ['"text"', 400],
    ['{"a": 1', 400],
    ['{"a": "\ud800"}'.toWellFormed().replace('\ufffd', '\x01'), 400],
    [deep(33), 400],
    [deep(100_000).slice(0, 250_000), 400],
    [`{"a": "${'\\"'.repeat(120_000)}"`, 400],
    [`{"a": "${'x'.repeat(256 * 1_024)}"}`, 413],
    [`{"id": "${'x'.repeat(501)}"}`, 400],
    [deep(32), 200],
    [`{"a": "${'x'.repeat(256 * 1_024 - 10)}"}`, 200],
    [`{"a": "${'😀'.repeat(200)}", "b": "x${'😀'.repeat(3_000)}"}`, 200],
    ['{"a": "\\u0000 \\ud800", "\\u0000": [{"__proto__": 1}], "b": 1e999}', 200],
  ];
  await createRule(system, source, project, {
    conditions: ['a', 'b', '__proto__'].map((name) => ({
      variable_name: name,
      operation: 'CONTAINS',
      value: 'x',
    })),
  });
  for (const [body, status] of cases) {
    const answer = await send(system, source, '', body, { authorization: `Bearer ${source.secret}` });
    expect({ body: body.slice(0, 50), status: answer.status }).toEqual({ body: body.slice(0, 50), status });
  }
  expect(
    (
      await send(system, source, '', Buffer.from([0x7b, 0xff]).toString('latin1'), {
        authorization: `Bearer ${source.secret}`,
      })
    ).status,
  ).toBe(400);
  expect(await eventsIn(source)).toBe(4);
  for (const { id } of (await system.call('GET', `/api/v1/events?source_id=${source.id}`)).body.data) {
    const { text } = await expectStatus(200, system.call('GET', `/api/v1/events/${id}`));
    expect(text.length).toBeLessThan(300_000 * 2);
  }
});

test('a source sends as many events a minute as a token has requests', async () => {
  const limited = await startSystem({
    workers: 0,
    environment: { DCTL_RATE_PER_TOKEN: '12', DCTL_RATE_PER_ADDRESS: '15' },
  });
  try {
    const source = await createSource(limited);
    const statuses: number[] = [];
    for (let count = 0; count < 13; count += 1)
      statuses.push((await send(limited, source, String(count), {})).status);
    expect(statuses).toEqual([...Array.from({ length: 12 }, () => 200), 429]);
    const wrong: number[] = [];
    for (let count = 0; count < 16; count += 1) wrong.push((await send(limited, source, 'x', {}, {})).status);
    expect(wrong.at(-1)).toBe(429);
  } finally {
    await limited.stop();
  }
});

describe('the chain from an event to whom its run told', () => {
  test('is shown with each condition as it was, the run, and its webhooks', async () => {
    const source = await createSource(system);
    const jobId = await createJob(system, project.projectId, {});
    const key = { projectId: project.projectId, jobId };
    await changeJob(system, key, { webhook_enabled: true, webhook_url: 'https://example.com/hook' });
    const conditions = [
      { variable_name: 'STATUS', operation: 'EQUAL', value: 'FINISHED' },
      { variable_name: 'data.rows', operation: 'GREATER_THAN', value: '0' },
    ];
    await createRule(system, source, project, {
      name: 'orders arrived',
      job_id: jobId,
      conditions,
      command_override: 'dbt build --select source:raw.${{event.data.table}}+',
      cause:
        'Triggered by ${{received.SOURCE}} after ${{event.data.table}} | Rows: ${{event.data.rows}} | ${{event.nothing}}',
      metadata: { table: '${{event.data.table}}', rows: '${{event.data.rows}}', fixed: 1 },
    });
    const event = { STATUS: 'FINISHED', data: { table: 'orders', rows: 1_547 } };
    const { body: taken } = await expectStatus(200, send(system, source, 'exec-1', event));
    const runId = taken.verdicts[0].run_id;
    await expectStatus(200, system.call('POST', `/api/v1/runs/${runId}/cancel`));

    const { body } = await expectStatus(200, system.call('GET', `/api/v1/events/${taken.id}`));
    expect(body).toMatchObject({
      external_id: 'exec-1',
      data: event,
      note: null,
      verdicts: [
        {
          rule_name: 'orders arrived',
          verdict: 'run',
          conditions: [
            { ...conditions[0], actual: 'FINISHED', holds: true },
            { ...conditions[1], actual: 1_547, holds: true },
          ],
          run: {
            id: runId,
            job_id: jobId,
            status: 'error',
            triggered_by: 'event',
            cause: `Triggered by ${source.name} after orders | Rows: 1547 | `,
            deliveries: [{ kind: 'run_finished', run_id: runId, url: 'https://example.com/hook' }],
          },
        },
      ],
    });
    expect((await system.call('GET', `/api/v1/runs/${runId}`)).body).toMatchObject({
      command_override: 'dbt build --select source:raw.orders+',
      metadata: { table: 'orders', rows: '1547', fixed: 1 },
    });
    const { body: ofRun } = await expectStatus(200, system.call('GET', `/api/v1/runs/${runId}/events`));
    expect(ofRun.data.map(({ id }: { id: string }) => id)).toEqual([taken.id]);

    const { body: empty } = await expectStatus(
      200,
      send(system, source, 'exec-2', { STATUS: 'FINISHED', data: { rows: 0 } }),
    );
    expect(empty.verdicts).toMatchObject([
      {
        verdict: 'no_match',
        reason: 'data.rows is 0, so data.rows GREATER_THAN "0" does not hold.',
        run_id: null,
      },
    ]);
    const { body: lists } = await system.call(
      'GET',
      `/api/v1/events?source_id=${source.id}&verdict=no_match`,
    );
    expect(lists.data).toMatchObject([{ id: empty.id }]);
  });

  test('says why a rule that holds has no run', async () => {
    const source = await createSource(system);
    const jobId = await createJob(system, project.projectId, {});
    const rule = await createRule(system, source, project, {
      name: 'picks',
      job_id: jobId,
      command_override: 'dbt build --select ${{event.table}}',
    });
    const reasonFor = async (data: Record<string, unknown>) => {
      const { body } = await expectStatus(200, send(system, source, Math.random().toString(), data));
      return body.verdicts.map(({ verdict, reason }: any) => [verdict, reason]);
    };
    expect(await reasonFor({})).toEqual([
      ['refused', 'There is no event.table, so its command cannot be made.'],
    ]);
    expect(await reasonFor({ table: 'a --full-refresh' })).toEqual([
      [
        'refused',
        expect.stringContaining(
          'event.table is "a --full-refresh", and in a command a value is a plain name',
        ),
      ],
    ]);
    await changeJob(system, { projectId: project.projectId, jobId }, { enabled: false });
    expect(await reasonFor({ table: 'a' })).toEqual([['refused', 'The job is switched off.']]);
    await expectStatus(204, system.call('DELETE', `/api/v1/projects/${project.projectId}/jobs/${jobId}`));
    expect(await reasonFor({ table: 'a' })).toEqual([['refused', 'There is no such job.']]);
    const path = `/api/v1/event-rules/${rule.id}`;
    const asked = await expectStatus(400, system.call('PATCH', path, { cause: 'why' }));
    expect(asked.body.errors[0].pointer).toBe('/job_id');
    await expectStatus(200, system.call('PATCH', path, { is_active: false }));
    await expectStatus(400, system.call('PATCH', path, { is_active: true }));
    await expectStatus(200, system.call('PATCH', path, { is_active: true, job_id: project.jobId }));
    await expectStatus(204, system.call('DELETE', path));
    expect(await counted('SELECT count(*) FROM runs WHERE job_id = $1', [jobId])).toBe(0);
    const silent = await createSource(system);
    const { body } = await expectStatus(200, send(system, silent, 'x', {}));
    const { body: shown } = await system.call('GET', `/api/v1/events/${body.id}`);
    expect(shown).toMatchObject({
      verdicts: [],
      note: expect.stringContaining('no rule that was switched on'),
    });
  });
});

describe('a rule', () => {
  test('is refused with the place of each thing that is wrong with it', async () => {
    const source = await createSource(system);
    const stranger = await asAnotherOrganization(system);
    const theirs = await createSource(stranger);
    const rule = { name: 'wrong', source_id: source.id, job_id: project.jobId };
    const pointersOf = async (fields: Record<string, unknown>) => {
      const answer = await expectStatus(
        400,
        system.call('POST', '/api/v1/event-rules', { ...rule, ...fields }),
      );
      return answer.body.errors.map(({ pointer }: { pointer: string }) => pointer);
    };
    expect(await pointersOf({ command_override: 'dbt build ${{event.x}}' })).toEqual(['/command_override']);
    expect(
      await pointersOf({
        command_override: 'dbt build --select ${{run.ROWS}}',
        cause: '${{',
        metadata: { a: '${{event}}' },
      }),
    ).toEqual(['/command_override', '/cause', '/metadata/a']);
    expect(await pointersOf({ source_id: theirs.id })).toEqual(['/source_id']);
    expect(await pointersOf({ job_id: 'none' })).toEqual(['/job_id']);
    expect(await pointersOf({ window_until: { variable_name: 'a', values: ['b'] } })).toEqual([
      '/window_seconds',
    ]);
    expect(await pointersOf({ conditions: [{ variable_name: 'a', operation: 'LIKE', value: '' }] })).toEqual([
      '/conditions/0/operation',
    ]);
    expect(await pointersOf({ window_seconds: 0 })).toEqual(['/window_seconds']);
  });

  test('is changed a field at a time, and keeps its source from being deleted', async () => {
    const source = await createSource(system);
    const { id, jobId } = await createRule(system, source, project, { cause: 'because' });
    const path = `/api/v1/event-rules/${id}`;
    const { body } = await expectStatus(200, system.call('PATCH', path, { is_active: false }));
    expect(body).toMatchObject({
      id,
      job_id: jobId,
      project_id: project.projectId,
      cause: 'because',
      is_active: false,
    });
    expect((await send(system, source, 'x', {})).body.verdicts).toEqual([]);
    expect((await system.call('DELETE', `/api/v1/event-sources/${source.id}`)).status).toBe(409);
    await expectStatus(204, system.call('DELETE', path));
    await expectStatus(204, system.call('DELETE', `/api/v1/event-sources/${source.id}`));
    expect((await send(system, source, 'y', {})).status).toBe(401);
  });
});

test('a secret is stored sealed, and shown once', async () => {
  const source = await createSource(system, 'stripe');
  const { rows } = await system.pool.query('SELECT to_jsonb(t)::text AS row FROM event_sources t');
  expect(rows.filter(({ row }) => row.includes(source.secret))).toEqual([]);
  const shown: Answer[] = [
    await system.call('GET', '/api/v1/event-sources'),
    await system.call('PATCH', `/api/v1/event-sources/${source.id}`, { name: `${source.name}-2` }),
    await system.call('GET', '/api/v1/audit'),
  ];
  expect(shown.filter(({ text }) => text.includes(source.secret))).toEqual([]);
  const lines = JSON.stringify(system.api.lines);
  expect(lines).not.toContain(source.secret);
});
