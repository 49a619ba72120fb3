import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { deployProject, type DeployedProject } from '../support/project.ts';
import { rawRequest } from '../support/raw-request.ts';
import { expectNoErrors } from '../support/errors.ts';
import { startSystem, type Answer, type System } from '../support/system.ts';

let system: System;
let project: DeployedProject;
let job: string;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
  job = `/api/v1/projects/${project.projectId}/jobs/${project.jobId}`;
});
afterAll(() => system.stop());

afterEach(() => expectNoErrors(system));

const json = { 'content-type': 'application/json' };

/** A refusal that tells machines and people what is wrong. */
function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer).toMatchObject({ status, body: { status, type: `urn:dctl:error:${code}` } });
  expect(answer.body.title).not.toBe('');
  expect(answer.body.detail).not.toBe('');
}

describe('addresses and methods', () => {
  test.each(['/nothing', '/api', '/api/v1/nothing', '/API/V1/projects', '/api/v1/projects/a/b/c'])(
    '%s is 404',
    async (path) => {
      expectProblem(await system.call('GET', path), 404, 'not_found');
    },
  );

  test.each([
    ['PUT', '/api/v1/projects', 'GET, POST'],
    ['DELETE', '/api/v1/runs', 'GET'],
    ['OPTIONS', '/api/v1/runs', 'GET'],
    ['POST', '/livez', 'GET'],
  ])('%s %s is 405 and names what is allowed', async (method, path, allowed) => {
    const answer = await system.call(method, path);
    expectProblem(answer, 405, 'method_not_allowed');
    expect(answer.headers.get('allow')).toBe(allowed);
  });

  test('GET of a trigger is 405 and makes no run', async () => {
    const answer = await system.call('GET', `${job}/trigger`);
    expectProblem(answer, 405, 'method_not_allowed');
    expect(answer.headers.get('allow')).toBe('POST');
  });

  test('HEAD answers as GET does, without a body', async () => {
    for (const [path, status] of [
      ['/api/v1/projects', 200],
      [job, 200],
      ['/api/v1/runs/none', 404],
      [`${job}/trigger`, 405],
    ] as const) {
      const answer = await system.call('HEAD', path);
      expect({ path, status: answer.status, text: answer.text }).toEqual({ path, status, text: '' });
    }
  });
});

describe('fields', () => {
  test('every wrong field of a trigger is named by its pointer', async () => {
    const wrong = {
      command_override: 1,
      cause: ['x'],
      metadata: { nested: {}, list: [], nothing: null, 'a/b~c': null },
    };
    const answer = await system.call('POST', `${job}/trigger`, wrong);
    expectProblem(answer, 400, 'invalid_request');
    expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/command_override',
      '/cause',
      '/metadata/nested',
      '/metadata/list',
      '/metadata/nothing',
      '/metadata/a~1b~0c',
    ]);
  });

  test('a field that does not exist is refused by its name', async () => {
    const answer = await system.call('POST', `${job}/trigger`, { comand_override: 'dbt build' });
    expectProblem(answer, 400, 'invalid_request');
    expect(answer.body.errors).toEqual([
      { pointer: '', detail: expect.stringContaining('"comand_override"') },
    ]);
  });

  test.each<[string, string, string]>([
    ['cause', '/trigger', '{"cause":"a%"}'],
    ['metadata value', '/trigger', '{"metadata":{"a":"%"}}'],
    ['metadata name', '/trigger', '{"metadata":{"a%":1}}'],
    ['command override', '/trigger', '{"command_override":"dbt build --select a%"}'],
    ['job name', '', '{"name":"a%"}'],
    ['job command', '', '{"command":"dbt build --select a%"}'],
    ['environment id', '', '{"environment_id":"%"}'],
    ['webhook URL', '', '{"webhook_url":"https://example.com/%"}'],
    ['webhook header', '', '{"webhook_headers":{"X-A":"%"}}'],
    ['webhook header name', '', '{"webhook_headers":{"X-%":"a"}}'],
  ])('a NUL or half a surrogate pair in a %s is 400', async (_name, where, body) => {
    for (const text of ['\\u0000', '\\ud800', '\\udc00']) {
      const bytes = Buffer.from(body.replace('%', text));
      const answer = await system.call(where === '' ? 'PATCH' : 'POST', job + where, bytes, json);
      expect({ text, status: answer.status }).toEqual({ text, status: 400 });
    }
  });

  test('a cause and metadata over their limits are 400', async () => {
    const metadata = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, index]));
    for (const body of [{ cause: 'x'.repeat(1_001) }, { metadata: { a: 'x'.repeat(2_001) } }, { metadata }]) {
      expectProblem(await system.call('POST', `${job}/trigger`, body), 400, 'invalid_request');
    }
  });
});

describe('ids and queries', () => {
  test.each([
    '%00',
    'a%00b',
    '%',
    '%zz',
    '%ed%a0%80',
    '%ff',
    'x'.repeat(201),
    '..%2f..',
    "'%20OR%201=1--",
    '%F0%9F%A7%80',
  ])('an id of %s in a path is 400 or 404', async (id) => {
    const paths = [
      `/api/v1/runs/${id}`,
      `/api/v1/runs/${id}/logs`,
      `/api/v1/projects/${id}`,
      `/api/v1/projects/${project.projectId}/jobs/${id}`,
    ];
    for (const path of paths) {
      const { status, headers } = await rawRequest(system, 'GET', path);
      expect({ path, isRefused: [400, 404].includes(status) }).toEqual({ path, isRefused: true });
      expect(headers['content-type']).toContain('application/problem+json');
    }
  });

  test.each(['0', '-1', '1.5', '201', '1e3', '99999999999999999999', 'Infinity', 'x', '', '1&limit=2'])(
    'limit=%s is 400',
    async (limit) => {
      expectProblem(await system.call('GET', `/api/v1/runs?limit=${limit}`), 400, 'invalid_request');
    },
  );

  const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  test.each<[string, string]>([
    ['not base64', '%25%25'],
    ['empty', ''],
    ['given twice', `${cursor(['2026-01-01T00:00:00.000Z', 'a'])}&cursor=x`],
    ['very long', 'A'.repeat(100_000 / 10)],
    ['of another form', cursor({ id: 'a' })],
    ['with a NUL in its id', cursor(['2026-01-01T00:00:00.000Z', 'a\0'])],
    ['with half a surrogate pair', cursor(['2026-01-01T00:00:00.000Z', '\ud800'])],
    ['of the year 0', cursor(['0000-01-01T00:00:00.000Z', 'a'])],
    ['of no day', cursor(['2026-02-31T00:00:00.000Z', 'a'])],
  ])('a cursor that is %s is 400', async (_name, text) => {
    for (const list of ['/api/v1/runs', '/api/v1/projects', `${job}/deliveries`]) {
      expectProblem(await system.call('GET', `${list}?cursor=${text}`), 400, 'invalid_request');
    }
  });
});
