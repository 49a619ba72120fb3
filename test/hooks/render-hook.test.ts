import { describe, expect, test } from '@jest/globals';
import { parseCidrs } from '../../src/addresses.ts';
import type { NamedValues } from '../../src/hooks/named-values.ts';
import { fixedOrigin, renderHook, type HookTemplates } from '../../src/hooks/render-hook.ts';
import { runText, runValue, type RunFacts } from '../../src/hooks/run-values.ts';
import { hiddenForms } from '../../src/webhooks/hidden-forms.ts';
import { placeholdersInAll, render, templateProblems } from '../../src/templates.ts';

const run: RunFacts = {
  id: 'run-1',
  jobId: 'job-1',
  jobName: 'orders',
  projectName: 'shop',
  status: 'success',
  event: 'job.completed',
  rows: '1547',
  nodesFailed: 0,
  failedNodes: [],
  durationMs: 12_345,
  triggeredBy: 'api',
  command: 'dbt build',
  cause: null,
  errorMessage: null,
  startedAt: new Date('2026-04-02T12:00:00Z'),
  finishedAt: new Date('2026-04-02T12:00:12.345Z'),
};

const variables: Record<string, string> = {
  account: '12345',
  base: 'https://example.com/api',
  host: 'example.com',
  inside: '10.0.0.1',
  lines: 'one\r\nX-Evil: two',
  nested: '${{secrets.token}}',
  proto: 'https://example.com',
};
const secrets: Record<string, string> = { token: 's3cr3t "value"', plain: 'abc123', lines: 'a\nb' };
const known: NamedValues = {
  variables: new Map(Object.entries(variables)),
  secrets: {
    has: (name) => Object.hasOwn(secrets, name),
    get: (name) => secrets[name] ?? null,
  },
};

function rendered(templates: Partial<HookTemplates>, of: Partial<RunFacts> = {}) {
  const hook: HookTemplates = {
    method: 'POST',
    url: 'https://example.com/run/',
    headers: {},
    body: null,
    ...templates,
  };
  return renderHook(hook, known, (name) => runText({ ...run, ...of }, name), parseCidrs(''));
}

const pointersOf = (templates: Partial<HookTemplates>, of?: Partial<RunFacts>) =>
  rendered(templates, of).problems.map(({ pointer }) => pointer);

describe('a template', () => {
  test.each([
    ['${{constructor.name}}', 'There is no constructor'],
    ['${{constructor.constructor("return process")()}}', 'not a placeholder'],
    ['${{__proto__.x}}', 'There is no __proto__'],
    ['${{run.constructor}}', 'constructor is nothing of a run'],
    ['${{run.__proto__}}', '__proto__ is nothing of a run'],
    ['${{run.toString}}', 'toString is nothing of a run'],
    ['${{run.rows}}', 'rows is nothing of a run'],
    ['${{variables.toString}}', 'There is no variable toString'],
    ['${{secrets.__proto__}}', 'There is no secret __proto__'],
    ['${{secrets.token.length}}', 'There is no secret token.length'],
    ['${{variables[account]}}', 'not a placeholder'],
    ['${{ run.ROWS + 1 }}', 'not a placeholder'],
    ['${{run.ROWS || secrets.token}}', 'not a placeholder'],
    ['${{variables.${{run.ROWS}}}}', 'not a placeholder'],
    ['${{env.PATH}}', 'There is no env'],
    ['${{run.ROWS', 'close it'],
    ['${{}}', 'not a placeholder'],
    ['${{secrets.unknown}}', 'There is no secret unknown'],
  ])('%s is refused in every place', (template, sentence) => {
    for (const [pointer, templates] of [
      ['/url', { url: `https://example.com/${template}` }],
      ['/header/X-Ours', { headers: { 'X-Ours': template } }],
      ['/body/a/0/b', { body: { a: [{ b: template }] } }],
    ] as const) {
      const { problems, request } = rendered(templates);
      expect(problems).toContainEqual({ pointer, detail: expect.stringContaining(sentence) });
      expect(request).toBeNull();
    }
  });

  test('is a value, never a name', () => {
    expect(pointersOf({ body: { 'a${{run.ROWS}}': 1 } })).toEqual(['/body/a${{run.ROWS}}']);
    expect(pointersOf({ headers: { 'X-${{run.ROWS}}': 'x' } })).toContain('/header/X-${{run.ROWS}}');
  });

  test('takes spaces and several placeholders, at any depth, as often as they come', () => {
    const { request } = rendered({
      url: 'https://example.com/${{ variables.account }}/${{run.JOB_NAME}}/',
      body: {
        cause: 'of ${{ erathos.TABLE_NAME }}: ${{erathos.ROWS}} ${{run.ROWS}}',
        list: [['${{run.ID}}', 1]],
      },
    });
    expect(request?.url).toBe('https://example.com/12345/orders/');
    expect(JSON.parse(request!.body!)).toEqual({ cause: 'of orders: 1547 1547', list: [['run-1', 1]] });
  });

  test('names at most a hundred', () => {
    const many = (count: number) => ({ body: { text: '${{run.ROWS}}'.repeat(count) } });
    expect(pointersOf(many(100))).toEqual([]);
    expect(pointersOf(many(101))).toEqual(['']);
  });
});

describe('a value', () => {
  test('that looks like a placeholder stays what it is', () => {
    const { request, shown, problems } = rendered(
      { headers: { 'X-Ours': '${{variables.nested}}' }, body: { a: '${{variables.nested}} ${{run.CAUSE}}' } },
      { cause: '${{secrets.token}} ${{variables.account}}' },
    );
    expect(problems).toEqual([]);
    expect(request?.headers['X-Ours']).toBe('${{secrets.token}}');
    expect(JSON.parse(request!.body!).a).toBe('${{secrets.token}} ${{secrets.token}} ${{variables.account}}');
    expect(JSON.stringify([request, shown])).not.toContain('s3cr3t');
  });

  test('with a line break makes no header', () => {
    for (const [value, of] of [
      ['${{variables.lines}}', {}],
      ['Bearer ${{secrets.lines}}', {}],
      ['${{run.CAUSE}}', { cause: 'x\r\nX-Evil: 1' }],
      ['${{run.CAUSE}}', { cause: 'x\nX-Evil: 1' }],
      ['${{run.CAUSE}}', { cause: 'x\u0000' }],
      ['${{run.JOB_NAME}}', { jobName: 'täglich\u2028' }],
    ] as const)
      expect(pointersOf({ headers: { 'X-Ours': value } }, of)).toEqual(['/header/X-Ours']);
  });

  test('in a body cannot leave its text', () => {
    const { request } = rendered(
      { body: { cause: '${{run.CAUSE}}' } },
      { cause: '", "admin": true, "x": "\\ \u2028 \ud800' },
    );
    expect(Object.keys(JSON.parse(request!.body!))).toEqual(['cause']);
  });

  test('of spaces without end is put into a header in time that grows with it', () => {
    const before = performance.now();
    const { request } = rendered(
      { headers: { 'X-Error': `a${'${{run.ERROR_MESSAGE}}'.repeat(4)}b`, 'X-Cause': ' ${{run.CAUSE}} c ' } },
      { errorMessage: ' '.repeat(10_000), cause: ' ' },
    );
    expect(request?.headers['X-Cause']).toBe('c');
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  test('that makes a body long beyond measure keeps it from being sent', () => {
    const body = { texts: Array.from({ length: 30 }, () => '${{run.ERROR_MESSAGE}}') };
    expect(rendered({ body }, { errorMessage: 'x'.repeat(10_000) })).toMatchObject({
      request: null,
      shown: null,
      problems: [{ pointer: '/body', detail: expect.stringContaining('256 KiB') }],
    });
  });

  test('that the run does not have is an empty text; a header that is empty with it is left out', () => {
    const { request, problems } = rendered({
      url: 'https://example.com/?cause=${{run.CAUSE}}',
      headers: { 'X-Cause': '${{run.CAUSE}}', 'X-Both': 'c: ${{run.CAUSE}}' },
      body: { cause: '${{run.CAUSE}}' },
    });
    expect(problems).toEqual([]);
    expect(request).toMatchObject({ url: 'https://example.com/?cause=', body: '{"cause":""}' });
    expect(request?.headers).toEqual({ 'X-Both': 'c:' });
  });
});

describe('in a URL', () => {
  test("a run's values are encoded, variables and secrets stand as they are", () => {
    const { request } = rendered(
      { url: '${{variables.base}}/${{run.CAUSE}}?t=${{secrets.plain}}&c=${{run.CAUSE}}' },
      { cause: 'a/b?c=d&e#f \\ä\ud800' },
    );
    const encoded = 'a%2Fb%3Fc%3Dd%26e%23f%20%5C%C3%A4%EF%BF%BD';
    expect(request?.url).toBe(`https://example.com/api/${encoded}?t=abc123&c=${encoded}`);
  });

  test.each([
    'https://${{run.JOB_NAME}}/',
    'https://${{run.JOB_NAME}}.example.com/',
    'https://example.com${{run.JOB_NAME}}/',
    'https://example.com${{run.CAUSE}}',
    'https://example.com:${{run.ROWS}}/',
    '${{run.JOB_NAME}}://example.com/',
    '${{run.CAUSE}}',
    'https:${{run.JOB_NAME}}/x',
    'https:/${{run.JOB_NAME}}/x',
    'https://${{run.JOB_NAME}}@example.com/',
    'https://user:${{secrets.plain}}@example.com/',
    '${{variables.proto}}${{run.CAUSE}}',
    '${{variables.proto}}.${{run.JOB_NAME}}/',
  ])('%s is refused', (url) => {
    for (const cause of ['.evil.example', '@evil.example', 'https://evil.example/', null])
      expect(pointersOf({ url }, { cause })).toEqual(['/url']);
  });

  test.each(['..', '.', '%2e%2e', '.%2E'])('no value leads out of the path: %s', (cause) => {
    const url = 'https://example.com/public/${{run.CAUSE}}/run';
    const { problems, request } = rendered({ url }, { cause });
    // What is encoded once more is a name like any other.
    if (cause.includes('%')) expect(new URL(request!.url).pathname).toContain('/public/');
    else expect(problems).toMatchObject([{ pointer: '/url' }]);
    expect(pointersOf({ url: `https://example.com/a/${cause}/b` })).toEqual(['/url']);
  });

  test('a value that makes it private after all is found', () => {
    expect(pointersOf({ url: 'https://${{variables.host}}/' })).toEqual([]);
    expect(pointersOf({ url: 'https://${{variables.inside}}/' })).toEqual(['/url']);
    expect(pointersOf({ url: 'http://${{variables.lines}}/' })).toEqual(['/url']);
    expect(pointersOf({ url: 'http://169.254.169.254/${{run.ROWS}}' })).toEqual(['/url']);
    expect(pointersOf({ url: 'file:///etc/${{run.ROWS}}' })).toEqual(['/url']);
  });

  test('the host is fixed where no value stands in it', () => {
    expect(fixedOrigin('https://example.com/${{secrets.plain}}')).toBe('https://example.com');
    expect(fixedOrigin('https://example.com?${{secrets.plain}}')).toBe('https://example.com');
    for (const url of [
      'https://${{variables.host}}/',
      '${{variables.base}}/x',
      // Where the value has a / in it, what follows is no host any more.
      'https://${{variables.any}}@example.com/',
      'https://user${{variables.any}}@example.com/',
      'https://user:${{variables.any}}@example.com/',
      'h${{variables.any}}:x',
      'https://example.com${{variables.any}}',
      'https:/${{variables.any}}/example.com/',
      'https:${{variables.any}}',
      'nothing',
      '',
    ])
      expect([url, fixedOrigin(url)]).toEqual([url, null]);
  });
});

describe('whoever reads what is sent', () => {
  test('sees *** in place of each secret, and what is not open of headers', () => {
    const { shown, request, hide } = rendered({
      url: 'https://example.com/${{secrets.plain}}/',
      headers: {
        Authorization: 'Bearer ${{secrets.token}}',
        'X-Ours': 'literal credential',
        'X-Job': '${{run.JOB_NAME}}',
        Accept: 'application/json',
      },
      body: { token: 'a ${{secrets.token}} b' },
    });
    expect(request?.headers['Authorization']).toBe('Bearer s3cr3t "value"');
    expect(shown).toEqual({
      method: 'POST',
      url: 'https://example.com/***/',
      headers: {
        Authorization: 'Bearer ***',
        'X-Ours': '***',
        'X-Job': 'orders',
        Accept: 'application/json',
      },
      body: '{"token":"a *** b"}',
    });
    for (const form of [
      'abc123',
      's3cr3t "value"',
      's3cr3t \\"value\\"',
      's3cr3t%20%22value%22',
      'credential',
    ])
      expect(hiddenForms(hide)).toContain(form);
    expect(hide).not.toContain('application/json');
  });
});

test('what a run is called in templates and rules', () => {
  const failed: RunFacts = {
    ...run,
    status: 'partial',
    nodesFailed: 52,
    failedNodes: Array.from({ length: 50 }, (_, index) => `model.${index}`),
    cause: 'x'.repeat(20_000),
  };
  expect(runText(run, 'STATUS')).toBe('FINISHED');
  expect(['partial', 'failed', 'error'].map((status) => runText({ ...run, status }, 'STATUS'))).toEqual([
    'PARTIAL',
    'FAILED',
    'ERROR',
  ]);
  expect(runText(failed, 'FAILED_NODES')).toMatch(/^model\.0, .*model\.49, and 2 more$/);
  expect(runText(run, 'FAILED_NODES')).toBe('');
  expect(runText(run, 'NESTED_TABLE')).toBe('false');
  expect(runText(run, 'DURATION_SECONDS')).toBe('12.345');
  expect(runText({ ...run, durationMs: 0 }, 'DURATION_SECONDS')).toBe('0');
  expect(runText(run, 'FINISHED_AT')).toBe('2026-04-02T12:00:12.345Z');
  expect(runText(failed, 'CAUSE')).toHaveLength(10_000);
  expect(runValue(run, 'CAUSE')).toBeUndefined();
  expect(runValue(run, 'constructor')).toBeUndefined();
});

describe('placeholders', () => {
  test('are found in every text of a JSON value, whatever stands around them', () => {
    expect(placeholdersInAll({ a: ['${{secrets.x}}', { b: '${{\n secrets.y\n}}' }], c: 1, d: null })).toEqual(
      [
        { scope: 'secrets', name: 'x' },
        { scope: 'secrets', name: 'y' },
      ],
    );
  });

  test('of a long text are read in time that grows with it', () => {
    const text = '${{'.repeat(200_000);
    const before = performance.now();
    expect(templateProblems(text, '', () => null)).not.toEqual([]);
    expect(render(text, () => 'x')).toBe(text);
    expect(performance.now() - before).toBeLessThan(5_000);
  });
});
