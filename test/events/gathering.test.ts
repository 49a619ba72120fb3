import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';
import { forgetOldEvents } from '../../src/events/forget-events.ts';
import { createLog } from '../../src/log.ts';
import { openContext } from '../../src/open-context.ts';
import { expectNoErrors } from '../support/errors.ts';
import { createRule, createSource, send, type Source } from '../support/events.ts';
import { createJob, expectStatus, type DeployedProject } from '../support/project.ts';
import { runsOf } from '../support/schedules.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { deployProjectWithoutImage } from '../support/webhooks.ts';

/** Runs begin and fail at once: there is no image. */
let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ workers: 1 });
  project = await deployProjectWithoutImage(system);
});
afterAll(() => system.stop());
afterEach(() => expectNoErrors(system));

const sent = async (source: Source, id: string, data: Record<string, unknown>) =>
  (await expectStatus(200, send(system, source, id, data))).body;

/** What became of the events of a source, once none of them waits. */
function settled(source: Source): Promise<any[]> {
  return until(
    'no event waits for others',
    async () => (await system.call('GET', `/api/v1/events?limit=200&source_id=${source.id}`)).body.data,
    (events) =>
      events.every(({ verdicts }: any) => verdicts.every(({ verdict }: any) => verdict !== 'gathering')),
  );
}

describe('events of a rule with a window', () => {
  test('make one run that lists them all when the window closes, and the next window another', async () => {
    const source = await createSource(system);
    const { jobId } = await createRule(system, source, project, {
      conditions: [{ variable_name: 'rows', operation: 'GREATER_THAN', value: 0 }],
      window_seconds: 2,
      command_override: 'dbt build --select ${{events.table}}',
      cause: '${{received.COUNT}} of ${{received.SOURCE}}: ${{events.table}} (${{event.table}})',
      metadata: { ids: '${{received.IDS}}', last: '${{received.ID}}' },
    });
    const first = await sent(source, '1', { table: 'orders', rows: 1 });
    const second = await sent(source, '2', { table: 'payments', rows: 1 });
    const none = await sent(source, '3', { table: 'nothing', rows: 0 });
    const third = await sent(source, '4', { table: 'orders', rows: 1 });
    const { gathering } = first.verdicts[0];
    expect(first.verdicts).toMatchObject([
      { verdict: 'gathering', run_id: null, gathering: { closed_at: null } },
    ]);
    expect(Date.parse(gathering.closes_at) - Date.parse(gathering.opened_at)).toBe(2_000);
    expect(third.verdicts[0].gathering).toEqual(gathering);
    expect(await runsOf(system, { jobId })).toEqual([]);

    await settled(source);
    const [run, ...more] = await runsOf(system, { jobId });
    expect(more).toEqual([]);
    expect(run).toMatchObject({
      triggered_by: 'event',
      requested_by: source.name,
      command_override: "dbt build --select 'orders payments'",
      cause: `3 of ${source.name}: orders, payments (orders)`,
      metadata: { ids: [first.id, second.id, third.id].join(', '), last: third.id },
    });
    expect(Date.parse(run.created_at)).toBeGreaterThanOrEqual(Date.parse(gathering.closes_at));
    const { body } = await system.call('GET', `/api/v1/runs/${run.id}/events`);
    expect(body.data.map(({ id }: any) => id)).toEqual([third.id, second.id, first.id]);
    const { body: shown } = await system.call('GET', `/api/v1/events/${second.id}`);
    expect(shown.verdicts).toMatchObject([
      { verdict: 'run', run: { id: run.id }, gathering: { id: gathering.id, closed_at: expect.any(String) } },
    ]);
    expect(none.verdicts).toMatchObject([{ verdict: 'no_match', gathering: null }]);

    await sent(source, '5', { table: 'orders', rows: 1 });
    await settled(source);
    expect(await runsOf(system, { jobId })).toHaveLength(2);
  });

  test('run as soon as all have come that it waits for, whatever else comes and however often', async () => {
    const source = await createSource(system);
    const { jobId } = await createRule(system, source, project, {
      window_seconds: 600,
      window_until: { variable_name: 'table', values: ['orders', 'payments', 3] },
      cause: '${{events.table}}',
    });
    for (const [id, table] of ['orders', 'other', 'orders', 3, undefined].entries())
      expect((await sent(source, String(id), { table })).verdicts).toMatchObject([{ verdict: 'gathering' }]);
    const last = await sent(source, 'last', { table: 'payments' });
    expect(last.verdicts).toMatchObject([{ verdict: 'run', run_id: expect.any(String) }]);
    expect(await runsOf(system, { jobId })).toMatchObject([
      { id: last.verdicts[0].run_id, cause: 'orders, other, 3, payments' },
    ]);
    const { body } = await system.call('GET', `/api/v1/runs/${last.verdicts[0].run_id}/events`);
    expect(body.data).toHaveLength(6);
    expect((await sent(source, 'next', { table: 'payments' })).verdicts).toMatchObject([
      { verdict: 'gathering' },
    ]);
  });

  test('make no run, with the reason, when their rule is switched off, deleted, or cannot be rendered', async () => {
    const source = await createSource(system);
    const window = { window_seconds: 1 };
    const off = await createRule(system, source, project, window);
    const deleted = await createRule(system, source, project, window);
    await createRule(system, source, project, {
      ...window,
      command_override: 'dbt build --select ${{events.x}}',
    });
    await createRule(system, source, project, { ...window, window_seconds: 2 });
    const event = await sent(source, '1', { x: '--full-refresh' });
    await expectStatus(200, system.call('PATCH', `/api/v1/event-rules/${off.id}`, { is_active: false }));
    await expectStatus(204, system.call('DELETE', `/api/v1/event-rules/${deleted.id}`));
    await settled(source);
    const { verdicts } = (await system.call('GET', `/api/v1/events/${event.id}`)).body;
    const reasons = verdicts.map(({ reason }: any) => reason).toSorted();
    expect(reasons).toEqual([
      'The rule was deleted before its window closed.',
      'The rule was switched off when its window closed.',
      expect.stringContaining('events.x is "--full-refresh"'),
      null,
    ]);
    expect(verdicts.map(({ verdict }: any) => verdict).toSorted()).toEqual([
      'refused',
      'refused',
      'refused',
      'run',
    ]);
  });
});

test('a window closes with its ten thousandth event', async () => {
  const source = await createSource(system);
  const { id, jobId } = await createRule(system, source, project, {
    window_seconds: 600,
    cause: '${{received.COUNT}} of ${{events.table}}',
  });
  const first = await sent(source, '0', { table: 0 });
  const { gathering } = first.verdicts[0];
  await system.pool.query(
    `INSERT INTO events (id, organization_id, source_id, body)
     SELECT 'e' || n, $1, $2, jsonb_build_object('table', n % 3) FROM generate_series(1, 9998) AS n`,
    [system.organizationId, source.id],
  );
  await system.pool.query(
    `INSERT INTO event_verdicts (event_id, rule_id, verdict, conditions, gathering_id)
     SELECT 'e' || n, $1, 'gathering', '[]', $2 FROM generate_series(1, 9998) AS n`,
    [id, gathering.id],
  );
  await system.pool.query('UPDATE event_gatherings SET event_count = 9999 WHERE id = $1', [gathering.id]);
  const last = await sent(source, 'last', { table: 'last' });
  expect(last.verdicts).toMatchObject([{ verdict: 'run' }]);
  const [run] = await runsOf(system, { jobId });
  expect(run).toMatchObject({ id: last.verdicts[0].run_id, cause: '10000 of 0, 1, 2, last' });
  const { rows } = await system.pool.query('SELECT count(*)::int FROM event_verdicts WHERE run_id = $1', [
    run.id,
  ]);
  expect(rows).toEqual([{ count: 10_000 }]);
});

test('a window closes with the event that brings its bytes to 64 MiB', async () => {
  const source = await createSource(system);
  const { id, jobId } = await createRule(system, source, project, { window_seconds: 600 });
  const event = { text: 'x'.repeat(1_000) };
  await sent(source, 'a', event);
  const { rows } = await system.pool.query('SELECT bytes FROM event_gatherings WHERE rule_id = $1', [id]);
  expect(rows).toEqual([{ bytes: JSON.stringify(event).length }]);
  await system.pool.query('UPDATE event_gatherings SET bytes = $2 WHERE rule_id = $1', [
    id,
    64 * 1_024 * 1_024 - 500,
  ]);
  const last = await sent(source, 'b', event);
  expect(last.verdicts).toMatchObject([{ verdict: 'run' }]);
  expect(await runsOf(system, { jobId })).toMatchObject([{ id: last.verdicts[0].run_id }]);
});

test('what is gathered while a worker is killed is brought to exactly one run by another', async () => {
  const source = await createSource(system);
  const rules = await Promise.all(
    Array.from({ length: 40 }, () =>
      createRule(system, source, project, { window_seconds: 2, job_id: project.jobId }),
    ),
  );
  await expectStatus(200, send(system, source, 'a', {}));
  await expectStatus(200, send(system, source, 'b', {}));
  const open = async () =>
    (
      await system.pool.query(
        `SELECT count(*)::int FROM event_gatherings JOIN event_rules r ON r.id = rule_id
         WHERE r.source_id = $1 AND closed_at IS NULL`,
        [source.id],
      )
    ).rows[0].count;
  expect(await open()).toBe(rules.length);
  await until('it is at it', open, (count) => count < rules.length);
  const [worker] = system.workers;
  worker!.signal('SIGKILL');
  await worker!.ended;
  const left = await open();
  await Promise.all([system.startWorker(), system.startWorker()]);
  await until('all are closed', open, (count) => count === 0);
  const { rows } = await system.pool.query(
    `SELECT rule_id, count(DISTINCT run_id)::int AS runs, count(*)::int AS events FROM event_verdicts v
     JOIN events e ON e.id = v.event_id WHERE e.source_id = $1 AND verdict = 'run' GROUP BY rule_id`,
    [source.id],
  );
  expect(rows).toHaveLength(rules.length);
  for (const row of rows) expect(row).toMatchObject({ runs: 1, events: 2 });
  const { rows: runs } = await system.pool.query('SELECT count(*)::int FROM runs WHERE requested_by = $1', [
    source.name,
  ]);
  expect(runs[0].count).toBe(rules.length);
  expect(left).toBeGreaterThanOrEqual(0);
});

describe('the preview of a rule', () => {
  test('shows the very runs that there were', async () => {
    const source = await createSource(system);
    const templates = {
      command_override: 'dbt build --select ${{events.table}} --vars \'{"n": "${{received.COUNT}}"}\'',
      cause: '${{received.IDS}} at ${{received.AT}}: ${{event.table}}',
      metadata: { table: '${{event.table}}' },
    };
    const conditions = [{ variable_name: 'rows', operation: 'GREATER_THAN', value: 0 }];
    const [single, windowed, set, plain] = [
      await createRule(system, source, project, { ...templates, conditions }),
      await createRule(system, source, project, { ...templates, window_seconds: 1 }),
      await createRule(system, source, project, {
        ...templates,
        window_seconds: 3,
        window_until: { variable_name: 'table', values: ['a', 'b'] },
      }),
      await createRule(system, source, project, { conditions, window_seconds: 1 }),
    ];
    const bursts = [
      ['a', 'c', 'b', 'b'],
      ['a', '--full-refresh', 'b'],
      ['b', 'a', 'a', 'b'],
    ];
    for (const [number, tables] of bursts.entries()) {
      await Promise.all(
        tables.map((table, place) =>
          expectStatus(200, send(system, source, `${number}.${place}`, { table, rows: place })),
        ),
      );
      await settled(source);
    }
    for (const { id, jobId } of [single, windowed, set, plain]) {
      const runs = (await runsOf(system, { jobId })).map(async (run) => {
        const { body } = await system.call('GET', `/api/v1/runs/${run.id}/events`);
        return {
          command: run.command_override ?? run.command,
          cause: run.cause,
          metadata: run.metadata,
          event_ids: body.data.map((event: any) => event.id).toReversed(),
          event_count: body.data.length,
        };
      });
      const really = await Promise.all(runs);
      const { body } = await expectStatus(
        200,
        system.call('POST', '/api/v1/event-rules/preview', { rule_id: id, days: 1 }),
      );
      expect(body).toMatchObject({ events: 11, is_cut: false, would_run: really.length });
      const would = body.runs
        .filter(({ refused }: any) => refused === null)
        .map(({ at: _at, refused: _refused, ...run }: any) => run);
      const inOrder = (list: any[]) => list.toSorted((a, b) => (a.event_ids[0] < b.event_ids[0] ? -1 : 1));
      expect(inOrder(would)).toEqual(inOrder(really));
      expect(really.length).toBeGreaterThan(0);
    }
    const { body: refused } = await system.call('POST', '/api/v1/event-rules/preview', {
      rule_id: single.id,
    });
    expect(refused).toMatchObject({ matched: 8 });
    expect(refused.runs.filter(({ refused: why }: any) => why !== null)).toMatchObject([
      { command: null, refused: expect.stringContaining('--full-refresh') },
    ]);
  });

  test('is of a rule that is not stored as well, or of one that would be changed, and records nothing', async () => {
    const source = await createSource(system);
    const { id, jobId } = await createRule(system, source, project, {
      conditions: [{ variable_name: 'n', operation: 'EQUAL', value: 'never' }],
    });
    for (const n of [1, 2, 3]) await sent(source, String(n), { n });
    const rows = async () =>
      (
        await system.pool.query(
          'SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM event_verdicts), (SELECT count(*) FROM event_rules)',
        )
      ).rows;
    const before = await rows();
    const preview = async (body: unknown) =>
      (await expectStatus(200, system.call('POST', '/api/v1/event-rules/preview', body))).body;
    expect(await preview({ rule_id: id })).toMatchObject({ events: 3, matched: 0, runs: [] });
    const conditions = [{ variable_name: 'n', operation: 'LESS_THAN', value: 3 }];
    expect(await preview({ rule_id: id, changes: { conditions } })).toMatchObject({
      matched: 2,
      would_run: 2,
    });
    const rule = { name: 'new', source_id: source.id, job_id: jobId, window_seconds: 60 };
    expect(await preview({ rule })).toMatchObject({
      matched: 3,
      would_run: 1,
      runs: [{ event_count: 3, command: 'dbt build' }],
    });
    expect(await preview({ rule, days: 0.000_000_1 })).toMatchObject({ events: 0 });
    expect((await system.call('POST', '/api/v1/event-rules/preview', {})).status).toBe(400);
    expect(
      (await system.call('POST', '/api/v1/event-rules/preview', { rule: { ...rule, cause: '${{x.y}}' } }))
        .body.errors,
    ).toMatchObject([{ pointer: '/rule/cause' }]);
    expect(await rows()).toEqual(before);
  });
});

test('events go when they are older than the organization keeps logs, but for those that wait', async () => {
  const context = openContext(readConfig(system.environment), createLog('setup', 'error'));
  try {
    const source = await createSource(system);
    await createRule(system, source, project, {
      job_id: await createJob(system, project.projectId, {}),
      conditions: [{ variable_name: 'run', operation: 'EQUAL', value: true }],
    });
    await createRule(system, source, project, {
      window_seconds: 600,
      conditions: [{ variable_name: 'wait', operation: 'EQUAL', value: true }],
    });
    const old = await sent(source, 'old', { run: true });
    const waiting = await sent(source, 'waiting', { wait: true });
    const young = await sent(source, 'young', {});
    const age = (id: string, days: number) =>
      system.pool.query('UPDATE events SET created_at = now() - make_interval(days => $2) WHERE id = $1', [
        id,
        days,
      ]);
    await age(old.id, 31);
    await age(waiting.id, 31);
    await age(young.id, 29);
    const never = new AbortController().signal;
    expect(await forgetOldEvents(context, never)).toBe(0);
    await expectStatus(
      200,
      system.call('PATCH', `/api/v1/organizations/${system.organizationId}`, { retention_days: 30 }),
    );
    const counts = await Promise.all([1, 2].map(() => forgetOldEvents(context, never)));
    expect(counts[0]! + counts[1]!).toBe(1);
    const { body } = await system.call('GET', `/api/v1/events?source_id=${source.id}`);
    expect(body.data.map(({ id }: any) => id)).toEqual([young.id, waiting.id]);
    const runId = old.verdicts.find(({ run_id }: any) => run_id !== null).run_id;
    expect((await expectStatus(200, system.call('GET', `/api/v1/runs/${runId}/events`))).body.data).toEqual(
      [],
    );
  } finally {
    await context.close();
  }
});
