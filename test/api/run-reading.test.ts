import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deployProject, ended, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let project: DeployedProject;
let runId: string;
let path: string;
/** The run as the API showed it before a worker was there, and after its end. */
let before: any;
let after: any;
let followers: Followed[];

const asEvents = { accept: 'text/event-stream' };

/** One real build, followed by three readers who were there before it began. */
beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
  runId = await trigger(system, project, { cause: 'to be read' });
  path = `/api/v1/runs/${runId}`;
  before = (await system.call('GET', path)).body;
  const following = [follow('?follow=1'), follow('?follow=true'), follow('', asEvents)];
  await system.startWorker();
  after = await ended(system, runId);
  followers = await Promise.all(following);
});
afterAll(() => system.stop());

interface Followed {
  text: string;
  /** The run's status, asked for when the first piece of its log had come. */
  statusAtFirst: string | undefined;
}

async function follow(query: string, headers: Record<string, string> = {}): Promise<Followed> {
  const authorization = `Bearer ${system.token}`;
  const response = await fetch(`${system.url}${path}/logs${query}`, {
    headers: { authorization, ...headers },
  });
  const followed: Followed = { text: '', statusAtFirst: undefined };
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    followed.text += piece;
    followed.statusAtFirst ??= (await system.call('GET', path)).body.status;
  }
  return followed;
}

interface LogEvent {
  event: string | undefined;
  id: number;
  data: string;
}

function eventsIn(text: string): LogEvent[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .map((block) => {
      const fields = block.split('\n').map((line) => /^(\w+): (.*)$/.exec(line)!.slice(1));
      const of = (name: string) => fields.filter(([key]) => key === name).map(([, value]) => value!);
      return { event: of('event')[0], id: Number(of('id')[0]), data: of('data').join('\n') };
    });
}

const pick = (from: any, keys: string[]) => Object.fromEntries(keys.map((key) => [key, from[key]]));
const fixedFields = [
  'id',
  'name',
  'job_id',
  'project_id',
  'deployment_id',
  'command',
  'command_override',
  'triggered_by',
  'cause',
  'metadata',
  'created_at',
];
const storedLog = async () => (await system.call('GET', `${path}/logs`)).text;
const fileOf = (artifact: string) =>
  readFile(join(system.environment['DCTL_STORAGE_DIR']!, 'runs', runId, 'artifacts', '1', artifact));

describe('a run', () => {
  test('that waits has no times, no result and no nodes', () => {
    expect(before).toMatchObject({
      id: runId,
      job_id: project.jobId,
      status: 'queued',
      cause: 'to be read',
      start_time: null,
      end_time: null,
      duration_seconds: null,
      exit_code: null,
      nodes_total: null,
      nodes_done: 0,
      log_bytes: 0,
    });
  });

  test('that has ended has them all, in order', () => {
    expect(after).toMatchObject({
      status: 'success',
      exit_code: 0,
      error_message: null,
      log_truncated: false,
    });
    const times = [after.created_at, after.start_time, after.end_time];
    expect(times).toEqual(times.toSorted());
    expect(after.duration_seconds).toBeCloseTo(
      (Date.parse(after.end_time) - Date.parse(after.start_time)) / 1_000,
      1,
    );
    expect(after.nodes_done).toBe(after.nodes_total);
    expect(pick(after, fixedFields)).toEqual(pick(before, fixedFields));
  });

  test('lists its nodes as run_results.json has them', async () => {
    const { body } = await system.call('GET', `${path}/nodes`);
    const { results } = (await system.call('GET', `${path}/artifacts/run_results.json`)).body;
    const statuses = (nodes: { unique_id: string; status: string }[]) =>
      nodes.map(({ unique_id: id, status }) => `${id} ${status}`).toSorted();
    expect(statuses(body.data)).toEqual(statuses(results));
    expect(body.data).toHaveLength(after.nodes_total);
    const started = body.data.map(({ start_time: time }: { start_time: string }) => time);
    expect(started).toEqual(started.toSorted());
    expect(body.data.every((node: any) => node.duration_seconds >= 0 && node.resource_type !== '')).toBe(
      true,
    );
  });
});

describe("a run's nodes", () => {
  const pageOfNodes = async (id: string, query = '') =>
    (await system.call('GET', `/api/v1/runs/${id}/nodes${query}`)).body;

  test('come in pages, each once, in the order they started, those without a time last', async () => {
    const copy = await copyOfRun('pages');
    const long = `model.shop.${'ü\u0001'.repeat(240)}`;
    await insertNodes(copy, [
      ['b', '2026-01-01T00:00:01Z'],
      ['a', '2026-01-01T00:00:02Z'],
      [`${long}2`, '2026-01-01T00:00:02Z'],
      [`${long}1`, '2026-01-01T00:00:02Z'],
      ['d', null],
      ['c', null],
      [long, null],
    ]);
    const ids = (data: { unique_id: string }[]) => data.map((node) => node.unique_id);
    const whole = await pageOfNodes(copy);
    expect(whole.next_cursor).toBeNull();
    expect(ids(whole.data)).toEqual(['b', 'a', `${long}1`, `${long}2`, 'c', 'd', long]);

    for (const limit of [1, 2, 5]) {
      const read: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const from: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const page = await pageOfNodes(copy, `?limit=${limit}${from}`);
        expect(page.data.length).toBeLessThanOrEqual(limit);
        read.push(...ids(page.data));
        cursor = page.next_cursor;
      }
      expect(read).toEqual(ids(whole.data));
    }
  });

  test('come 1000 at a time unless told otherwise, and never more than 5000', async () => {
    const copy = await copyOfRun('many');
    await insertNodes(
      copy,
      Array.from({ length: 5_001 }, (_, number) => [`model.${number}`, null] as const),
    );
    expect((await pageOfNodes(copy)).data).toHaveLength(1_000);
    expect((await pageOfNodes(copy, '?limit=5000')).data).toHaveLength(5_000);
    for (const query of ['limit=5001', 'limit=0', 'limit=x', 'cursor=x']) {
      expect((await system.call('GET', `${path}/nodes?${query}`)).status).toBe(400);
    }
  });
});

async function insertNodes(id: string, nodes: (readonly [id: string, startedAt: string | null])[]) {
  await system.pool.query(
    `INSERT INTO node_results (run_id, unique_id, resource_type, status, started_at)
     SELECT $1, n.id, 'model', 'success', n.started_at FROM unnest($2::text[], $3::timestamptz[]) AS n(id, started_at)`,
    [id, nodes.map(([uniqueId]) => uniqueId), nodes.map(([, startedAt]) => startedAt)],
  );
}

describe("a run's log", () => {
  test('is the text dbt printed, as long as the run says', async () => {
    const log = await storedLog();
    expect(log).toContain('Completed successfully');
    expect(Buffer.byteLength(log)).toBe(after.log_bytes);
  });

  test('reaches followers who were there before the run began, live and whole, and ends with the run', async () => {
    const log = await storedLog();
    for (const followed of followers.slice(0, 2)) {
      expect(followed.statusAtFirst).toBe('running');
      expect(followed.text).toBe(log);
    }
  });

  test('comes as events whose ids are where to go on, the last of which tells the status', async () => {
    const log = await storedLog();
    const events = eventsIn(followers[2]!.text);
    const end = events.pop()!;
    expect(end).toMatchObject({ event: 'end', data: '{"status":"success"}' });
    expect(followers[2]!.statusAtFirst).toBe('running');
    expect(events.length).toBeGreaterThan(1);
    expect(events.map(({ data }) => `${data}\n`).join('')).toBe(log);
    expect(events.at(-1)!.id).toBe(after.log_bytes);

    for (const { id } of events) {
      const { text } = await follow('', { ...asEvents, 'last-event-id': String(id) });
      const rest = eventsIn(text).filter(({ event }) => event === 'log');
      expect(rest.map(({ data }) => `${data}\n`).join('')).toBe(Buffer.from(log).subarray(id).toString());
    }
  });

  test('refuses an event id it never sent', async () => {
    for (const id of ['x', '-1', '1.5', '9'.repeat(16)]) {
      const answer = await system.call('GET', `${path}/logs`, undefined, {
        ...asEvents,
        'last-event-id': id,
      });
      expect(answer).toMatchObject({
        status: 400,
        body: { detail: expect.stringContaining('Last-Event-ID') },
      });
    }
    expect((await system.call('GET', `${path}/logs?follow=2`)).status).toBe(400);
  });

  test('comes as whole lines, also where a character was stored in two pieces or the last line has no end', async () => {
    const copy = await copyOfRun('log');
    const log = Buffer.from('zuerst\nübrig geblieben 🧀');
    for (const [from, to] of [
      [0, 8],
      [8, 12],
      [12, log.length],
    ] as const) {
      await system.pool.query('INSERT INTO log_chunks (run_id, starts_at, content) VALUES ($1, $2, $3)', [
        copy,
        from,
        log.subarray(from, to),
      ]);
    }
    const { text } = await system.call('GET', `/api/v1/runs/${copy}/logs`, undefined, asEvents);
    const events = eventsIn(text);
    expect(events.map(({ event, data }) => [event, data])).toEqual([
      ['log', 'zuerst'],
      ['log', 'übrig geblieben 🧀'],
      ['end', '{"status":"success"}'],
    ]);
    expect(events[1]!.id).toBe(log.length);
  });
});

/** Another run that ended like this one, without a log. */
async function copyOfRun(purpose: string): Promise<string> {
  const id = `copy-of-${runId}-${purpose}`;
  await system.pool.query(
    `INSERT INTO runs SELECT (jsonb_populate_record(runs,
      jsonb_build_object('id', $2::text, 'number', nextval('runs_number_seq')))).* FROM runs WHERE id = $1`,
    [runId, id],
  );
  return id;
}

describe("a run's artifacts", () => {
  test('are listed with their sizes and downloaded as dbt wrote them', async () => {
    const { body } = await system.call('GET', `${path}/artifacts`);
    const paths = body.data.map((artifact: { path: string }) => artifact.path);
    expect(paths).toEqual(expect.arrayContaining(['manifest.json', 'run_results.json']));
    const invocations = [];
    for (const name of ['manifest.json', 'run_results.json']) {
      const answer = await system.call('GET', `${path}/artifacts/${name}`);
      expect(answer.text).toBe((await fileOf(name)).toString());
      expect(answer.headers.get('content-type')).toContain('application/json');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(body.data).toContainEqual({ path: name, size_bytes: Buffer.byteLength(answer.text), step: 1 });
      invocations.push(answer.body.metadata.invocation_id);
    }
    expect(invocations[0]).toBe(invocations[1]);
  });
});
