import { Agent } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { expectNoErrors } from '../support/errors.ts';
import { expectInvariants } from '../support/invariants.ts';
import { startProcess, type TestProcess } from '../support/process.ts';
import { deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { rawRequest } from '../support/raw-request.ts';
import { call, startSystem, type Answer, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { run } from '../worker/probe.ts';

const tokens = '/api/v1/tokens';
const json = { 'content-type': 'application/json' };

let system: System;
let project: DeployedProject;
let job: string;
/** A second API process on the same database. */
let second: TestProcess;
let secondUrl: string;
/** A run that left links among its artifacts. */
let path: string;

beforeAll(async () => {
  system = await startSystem();
  project = await deployProject(system, { folder: join(import.meta.dirname, 'greedy') });
  job = `/api/v1/projects/${project.projectId}/jobs/${project.jobId}`;
  second = startProcess('dist/src/main.js', system.environment);
  const { address } = (await second.said('serving')) as { address: { port: number } };
  secondUrl = `http://127.0.0.1:${address.port}`;
  const ran = await run(system, project, 'dbt run --select links');
  expect(ran).toMatchObject({ status: 'success' });
  path = `/api/v1/runs/${ran.id}`;
});
afterEach(() => expectNoErrors(system));
afterAll(async () => {
  await expectInvariants(system);
  second.signal('SIGTERM');
  await second.ended;
  await system.stop();
});

/** A refusal that tells machines and people what is wrong. */
function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer).toMatchObject({ status, body: { status, type: `urn:dctl:error:${code}` } });
  expect(answer.body.title).not.toBe('');
  expect(answer.body.detail).not.toBe('');
}

// F38
test('a token revoked during a burst is refused by every process from then on', async () => {
  const made = await expectStatus(201, system.call('POST', tokens, { name: 'burst', scope: 'read' }));
  const { id, token } = made.body;
  const seen: { askedAt: number; status: number }[] = [];
  const over = new AbortController();
  const ask = async (url: string) => {
    while (!over.signal.aborted) {
      const askedAt = performance.now();
      const { status } = await call(`${url}/api/v1/projects`, 'GET', undefined, {
        authorization: `Bearer ${token}`,
      });
      seen.push({ askedAt, status });
    }
  };
  const burst = [system.url, secondUrl].flatMap((url) => [ask(url), ask(url), ask(url)]);
  await until(
    'the burst is under way',
    () => seen.length,
    (count) => count > 60,
  );
  await expectStatus(204, system.call('DELETE', `${tokens}/${id}`));
  const revokedAt = performance.now();
  const late = () => seen.filter(({ askedAt }) => askedAt > revokedAt);
  await until(
    'both have refused',
    () => late().length,
    (count) => count > 60,
  );
  over.abort();
  await Promise.all(burst);
  expect(seen.filter(({ status }) => status === 200).length).toBeGreaterThan(30);
  expect(late().filter(({ status }) => status === 200)).toEqual([]);
});

// F39
describe('bodies', () => {
  const depth = 100_000;

  test.each<[string, Buffer]>([
    ['is cut off', Buffer.from('{"cause":')],
    ['is not JSON', Buffer.from('cause=x')],
    ['is not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ['is an array nested very deeply', Buffer.from('['.repeat(depth) + ']'.repeat(depth))],
    ['is an object nested very deeply', Buffer.from('{"a":'.repeat(depth) + '1' + '}'.repeat(depth))],
    [
      'has deeply nested metadata',
      Buffer.from(`{"metadata":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}`),
    ],
    ['opens brackets and never closes them', Buffer.from('['.repeat(depth))],
    ['is null', Buffer.from('null')],
    ['is a list', Buffer.from('[]')],
    ['is a string', Buffer.from('"dbt build"')],
    ['has a field named __proto__', Buffer.from('{"__proto__":{"cause":"x"}}')],
    ['has a number that is out of range', Buffer.from('{"metadata":{"a":1e999}}')],
  ])('a body that %s is 400', async (_name, body) => {
    expectProblem(await system.call('POST', `${job}/trigger`, body, json), 400, 'invalid_request');
  });

  test.each([
    ['text/plain', undefined],
    ['multipart/form-data; boundary=x', undefined],
    ['application/xml', undefined],
    ['nonsense', undefined],
    ['application/json', 'compress'],
  ])('a body of type %s (encoding %s) is 415', async (type, encoding) => {
    const headers = { 'content-type': type, ...(encoding && { 'content-encoding': encoding }) };
    expectProblem(
      await system.call('POST', `${job}/trigger`, Buffer.from('{}'), headers),
      415,
      'unsupported_media_type',
    );
  });

  test('a body that is said to be gzipped and is not is 400', async () => {
    const headers = { ...json, 'content-encoding': 'gzip' };
    expectProblem(
      await system.call('POST', `${job}/trigger`, Buffer.from('{"cause":"x"}'), headers),
      400,
      'invalid_request',
    );
  });

  test('a small gzipped body that is large when unpacked is 413', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));
    const headers = { ...json, 'content-encoding': 'gzip' };
    expectProblem(await system.call('POST', `${job}/trigger`, bomb, headers), 413, 'too_large');
  });

  test('a body of 2 MB is 413, sent at once or in chunks, and its connection goes on', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const large = Buffer.alloc(2_000_000, 0x20);
    try {
      for (const headers of [{ ...json, 'content-length': large.length }, json]) {
        const refused = await rawRequest(system, 'POST', `${job}/trigger`, {
          headers,
          pieces: [large],
          agent,
        });
        expect(refused.status).toBe(413);
        expect(JSON.parse(refused.text)).toMatchObject({ type: 'urn:dctl:error:too_large' });
        expect((await rawRequest(system, 'GET', '/livez', { agent })).status).toBe(200);
      }
    } finally {
      agent.destroy();
    }
  });
});

// F43
describe('what is no artifact of a run', () => {
  test.each([
    '..',
    '../artifacts/manifest.json',
    '../../../../../../etc/passwd',
    '%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '..%2fartifacts%2fmanifest.json',
    '%2e%2e/artifacts/manifest.json',
    './manifest.json',
    'x/../manifest.json',
    '/etc/passwd',
    '%2fetc%2fpasswd',
    'manifest.json%00',
    'manifest.json%00.txt',
    '..%5c..%5cmanifest.json',
    '%252e%252e%252fmanifest.json',
    'manifest.json%2f',
    'nothing.json',
    '%ff',
  ])('are not found by tricks: %s', async (trick) => {
    const answer = await rawRequest(system, 'GET', `${path}/artifacts/${trick}`);
    expect([400, 404]).toContain(answer.status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.text).not.toMatch(/root:|invocation_id/);
  });

  test.each(['symbolic.json', 'up.json', 'folder', 'folder/etc/passwd'])(
    'is not reached through a link that the run made: %s',
    async (name) => {
      const { body } = await system.call('GET', `${path}/artifacts`);
      const listed = body.data.map((artifact: { path: string }) => artifact.path);
      expect(listed).toContain('manifest.json');
      expect(listed).not.toContain(name);
      expectProblem(await system.call('GET', `${path}/artifacts/${name}`), 404, 'not_found');
    },
  );
});
