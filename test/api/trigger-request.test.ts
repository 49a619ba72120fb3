import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deployProject } from '../support/project.ts';
import { rawRequest } from '../support/raw-request.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let path: string;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  const { projectId, jobId } = await deployProject(system);
  path = `/api/v1/projects/${projectId}/jobs/${jobId}/trigger`;
});
afterAll(() => system.stop());

const json = { 'content-type': 'application/json' };
const runOf = async (answer: { body: any }) =>
  (await system.call('GET', `/api/v1/runs/${answer.body.job_run_id}`)).body;

describe('a trigger is taken', () => {
  test.each<[string, unknown, Record<string, string>]>([
    ['without a body', undefined, {}],
    ['with an empty body that is called JSON', Buffer.alloc(0), json],
    [
      'with an empty body that is called a form',
      Buffer.alloc(0),
      { 'content-type': 'application/x-www-form-urlencoded' },
    ],
    ['with an empty object', {}, {}],
    [
      'with JSON in a charset parameter',
      Buffer.from('{}'),
      { 'content-type': 'application/json; charset=utf-8' },
    ],
    ['with JSON that starts with a byte order mark', Buffer.from('\ufeff{}'), json],
    ['with a gzipped body', gzipSync('{"cause":"zipped"}'), { ...json, 'content-encoding': 'gzip' }],
  ])('%s', async (_name, body, headers) => {
    const answer = await system.call('POST', path, body, headers);
    expect(answer).toMatchObject({ status: 200, body: { message: 'DBT job run triggered successfully' } });
  });

  test('with a body sent in chunks', async () => {
    const pieces = ['{"cause":', '"in pieces', '"}'];
    const answer = await rawRequest(system, 'POST', path, { headers: json, pieces });
    expect(answer.status).toBe(200);
    expect(await runOf({ body: JSON.parse(answer.text) })).toMatchObject({ cause: 'in pieces' });
  });

  test('with a cause and metadata, which the run keeps as they were sent', async () => {
    const metadata = { connector: 'käse 🧀', rows: 12.5, full: false, constructor: 'x', '': 'empty name' };
    const answer = await system.call('POST', path, { cause: 'rows arrived', metadata });
    expect(await runOf(answer)).toMatchObject({ cause: 'rows arrived', metadata });
  });

  test.each(['/', '//'])('at an address that ends in %s', async (end) => {
    expect((await rawRequest(system, 'POST', `${path}${end}`)).status).toBe(200);
  });

  test('at an address with doubled slashes', async () => {
    expect((await rawRequest(system, 'POST', `/${path.replaceAll('/', '//')}`)).status).toBe(200);
  });

  test('at an address that is sent whole, as to a proxy', async () => {
    expect((await rawRequest(system, 'POST', `${system.url}${path}`)).status).toBe(200);
  });
});

test('metadata of which two entries would be one variable of the run is refused', async () => {
  const answer = await system.call('POST', path, { metadata: { 'load-id': 1, table: 'a', 'Load id': 2 } });
  expect(answer).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '/metadata/Load id', detail: expect.stringContaining('load-id') }] },
  });
});

test('a form is refused with 415 and the content type to use', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await system.call('POST', path, Buffer.from('command_override=dbt+build'), headers);
  expect(answer.status).toBe(415);
  expect(answer.body.detail).toContain('application/json');
});

describe('X-Organization-ID', () => {
  test("may be left out or name the token's organization", async () => {
    expect((await system.call('GET', '/api/v1/projects')).status).toBe(200);
    const headers = { 'x-organization-id': system.organizationId };
    expect((await system.call('GET', '/api/v1/projects', undefined, headers)).status).toBe(200);
  });

  test.each(['org-00000000-0000-0000-0000-000000000000', '', 'null'])(
    'of another organization (%p) is 403',
    async (id) => {
      const answer = await system.call('POST', path, {}, { 'x-organization-id': id });
      expect(answer).toMatchObject({ status: 403, body: { type: 'urn:dctl:error:forbidden' } });
    },
  );
});
