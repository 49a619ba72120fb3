import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mergeHeaders, webhookHeaderProblems } from '../../src/webhooks/headers.ts';
import { webhookSettings } from '../../src/webhooks/schema.ts';

const signed = {
  'X-Dagctl-Signature': 'sha256=real',
  'X-Dagctl-Event': 'job.completed',
  'webhook-id': 'dlv-1',
};

test.each([
  ['Authorization', 'Basic dXNlcjpwYXNzd29yZA=='],
  ['X-Api-Key', 'a'],
  ['User-Agent', 'airflow-hooks/1.0 (team data)'],
  ['x_custom.header', '~!@#$%^&*()'],
  ['X-Dagctl', 'only the prefix with a hyphen is ours'],
  ['X-Long', 'a'.repeat(4096)],
])('the header %s may be sent', (name, value) => {
  expect(webhookHeaderProblems({ [name]: value })).toEqual([]);
});

test.each([
  'Host',
  'host',
  'Content-Length',
  'CONTENT-TYPE',
  'Content-Encoding',
  'Transfer-Encoding',
  'Connection',
  'Keep-Alive',
  'TE',
  'Trailer',
  'Upgrade',
  'Expect',
  'Proxy-Authorization',
  'proxy-connection',
  'X-Dagctl-Signature',
  'x-DAGCTL-anything',
  'Webhook-Id',
  'webhook-signature',
])('the header %s is refused: it belongs to the delivery', (name) => {
  expect(webhookHeaderProblems({ [name]: 'x' })).toEqual([
    { name, detail: 'Remove this header: it belongs to the delivery itself.' },
  ]);
});

test.each(['', 'X Y', 'X:Y', 'X\r\nY', 'Ünicode', 'X(1)', 'x'.repeat(101)])(
  'the name %j is refused',
  (name) => {
    expect(webhookHeaderProblems({ [name]: 'x' })).toHaveLength(1);
  },
);

test.each([
  ['a line break that would start another header', 'x\r\nX-Dagctl-Signature: sha256=forged'],
  ['a lone line feed', 'x\ny'],
  ['a NUL', 'x\0'],
  ['a tab', 'x\ty'],
  ['a letter beyond ASCII', 'café'],
  ['a DEL', 'x\x7f'],
  ['spaces around it', ' x '],
  ['nothing', ''],
  ['4097 bytes', 'a'.repeat(4097)],
])('a value with %s is refused', (_what, value) => {
  expect(webhookHeaderProblems({ 'X-A': value })).toHaveLength(1);
});

test('two headers that differ in case only are refused', () => {
  const problems = webhookHeaderProblems({ 'X-Key': 'a', 'x-key': 'b' });
  expect(problems.map(({ name }) => name)).toEqual(['x-key']);
});

test('20 headers may be sent and 21 may not', () => {
  const headers = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`X-${index}`, 'v']));
  expect(webhookHeaderProblems(headers(20))).toEqual([]);
  expect(webhookHeaderProblems(headers(21))).toEqual([
    { name: '', detail: 'There are 21 headers: keep at most 20.' },
  ]);
});

test('a request body with a bad header is refused at that header', () => {
  const parsed = webhookSettings.shape.webhook_headers.safeParse({ Authorization: 'Basic eA==', Host: 'x' });
  expect(parsed.error?.issues).toMatchObject([
    { path: ['Host'], message: expect.stringContaining('Remove') },
  ]);
});

test("whatever the user's headers are, each of ours is there exactly once with our value", () => {
  const ours = { ...signed, 'Content-Type': 'application/json' };
  const randomCase = fc.constantFrom(...Object.keys(ours)).chain((name) => fc.mixedCase(fc.constant(name)));
  fc.assert(
    fc.property(fc.dictionary(fc.oneof(randomCase, fc.string()), fc.string()), (user) => {
      const merged = Object.entries(mergeHeaders(user, signed));
      for (const [name, value] of Object.entries(ours)) {
        const found = merged.filter(([candidate]) => candidate.toLowerCase() === name.toLowerCase());
        expect(found).toEqual([[name, value]]);
      }
    }),
  );
});

test('headers stored before a rule existed cannot touch the envelope', () => {
  const merged = mergeHeaders({ HOST: 'evil', 'transfer-encoding': 'chunked', 'X-Fine': '1' }, signed);
  expect(Object.keys(merged).map((name) => name.toLowerCase())).not.toContain('host');
  expect(merged).toMatchObject({ 'X-Fine': '1', 'User-Agent': 'dctl' });
  expect(merged).not.toHaveProperty('transfer-encoding');
});

test('a header that we add ourselves, such as a fetched token, replaces the one of the user', () => {
  const merged = mergeHeaders({ authorization: 'Basic old' }, { ...signed, Authorization: 'Bearer new' });
  expect(merged).toMatchObject({ Authorization: 'Bearer new' });
  expect(merged).not.toHaveProperty('authorization');
});

test("the user's own User-Agent replaces ours", () => {
  const merged = mergeHeaders({ 'user-agent': 'mine' }, signed);
  expect(merged['user-agent']).toBe('mine');
  expect(merged).not.toHaveProperty('User-Agent');
});
