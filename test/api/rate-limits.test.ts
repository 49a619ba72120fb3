import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { insertToken } from '../support/organization.ts';
import { expectStatus } from '../support/project.ts';
import { addPerson, bareCall, browserWith, signIn, trySignIn } from '../support/session.ts';
import { startSystem, type Answer, type System } from '../support/system.ts';

const perToken = 20;
const perAddress = 12;
const addresses = { next: 0 };

let system: System;

/** Every test comes from addresses of its own, by way of a proxy that the server trusts. */
beforeAll(async () => {
  system = await startSystem({
    workers: 0,
    environment: {
      DCTL_RATE_PER_TOKEN: String(perToken),
      DCTL_RATE_PER_ADDRESS: String(perAddress),
      DCTL_TRUSTED_PROXIES: '127.0.0.1',
    },
  });
});
afterAll(() => system.stop());

test('a token is answered as often a minute as the setting says, is told how often more, and then when to come back', async () => {
  const token = await insertToken(system);
  const answers: Answer[] = [];
  for (let count = 0; count < perToken; count += 1) answers.push(await ask(token, newAddress()));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(answers.map(({ headers }) => Number(headers.get('ratelimit-remaining')))).toEqual(
    answers.map((_, index) => perToken - 1 - index),
  );
  expect(answers[0]!.headers.get('ratelimit-limit')).toBe(String(perToken));
  expectSeconds(answers[0]!.headers.get('ratelimit-reset'));

  // Wherever it comes from.
  const refused = await ask(token, newAddress());
  expectTooMany(refused, `This token sent more than ${perToken} requests in a minute.`);
  expect(refused.body.detail).toContain('DCTL_RATE_PER_TOKEN');
});

test('one token that asks too often costs no other anything, not even from the same address', async () => {
  const [busy, quiet] = [await insertToken(system), await insertToken(system)];
  const address = newAddress();
  await Promise.all(Array.from({ length: perToken + 1 }, () => ask(busy, address)));
  expectTooMany(await ask(busy, address), 'This token');
  const answer = await expectStatus(200, ask(quiet, address));
  expect(answer.headers.get('ratelimit-remaining')).toBe(String(perToken - 1));
});

test('a trigger and a call that is refused count as well', async () => {
  const token = await insertToken(system);
  const address = newAddress();
  const path = '/api/v1/projects/none/jobs/none/trigger';
  const answer = await bareCall(system, 'POST', path, { ...from(address), authorization: `Bearer ${token}` });
  expect([answer.status, answer.headers.get('ratelimit-remaining')]).toEqual([404, String(perToken - 1)]);
});

test('a signed-in user is limited over all of their sessions', async () => {
  const person = await addPerson(system, 'viewer');
  const sessions = [await signIn(system, person), await signIn(system, person)];
  const answers = await Promise.all(
    Array.from({ length: perToken }, (_, index) => sessions[index % 2]!.call('GET', '/api/v1/session')),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  for (const session of sessions)
    expectTooMany(await session.call('GET', '/api/v1/session'), `You sent more than ${perToken}`);
});

test('what comes without a token or session is limited by its address: sign-ins, old sessions, documents, wrong addresses', async () => {
  const address = newAddress();
  const strangers = [
    () => bareCall(system, 'GET', '/api/openapi.json', from(address)),
    () => bareCall(system, 'GET', '/api/docs', from(address)),
    () => bareCall(system, 'GET', '/nothing/here', from(address)),
    () => bareCall(system, 'GET', '/api/v1/runs', from(address)),
    () => bareCall(system, 'DELETE', '/api/v1/runs', from(address)),
    () => browserWith(system, 'dctl_session=old').call('GET', '/api/v1/session', undefined, from(address)),
    () => trySignIn(system, { email: 'nobody@example.com', password: 'not it' }, from(address)),
  ];
  const answers: Answer[] = [];
  for (let count = 0; count < perAddress; count += 1)
    answers.push(await strangers[count % strangers.length]!());
  expect(answers.slice(0, 7).map(({ status }) => status)).toEqual([200, 200, 404, 401, 405, 401, 401]);
  expect(answers.map(({ headers }) => Number(headers.get('ratelimit-remaining')))).toEqual(
    answers.map((_, index) => perAddress - 1 - index),
  );
  for (const again of strangers)
    expectTooMany(await again(), `This address sent more than ${perAddress} requests in a minute.`);

  // A valid token is not held up by what else comes from its address, nor another address by this one.
  await expectStatus(200, ask(await insertToken(system), address));
  await expectStatus(200, bareCall(system, 'GET', '/api/docs', from(newAddress())));
});

test('hosts that share an IPv6 /64 count as one address', async () => {
  const asked = Array.from({ length: perAddress + 1 }, (_, index) =>
    bareCall(system, 'GET', '/api/docs', from(`2001:db8:7::${index + 1}`)),
  );
  const statuses = (await Promise.all(asked)).map(({ status }) => status).toSorted((a, b) => a - b);
  expect(statuses).toEqual([...Array.from({ length: perAddress }, () => 200), 429]);
});

test('an address that only says of itself that it is another is not believed', async () => {
  const own = await startSystem({ workers: 0, environment: { DCTL_RATE_PER_ADDRESS: '2' } });
  try {
    const statuses: number[] = [];
    for (let count = 0; count < 3; count += 1)
      statuses.push((await bareCall(own, 'GET', '/api/docs', from(newAddress()))).status);
    expect(statuses).toEqual([200, 200, 429]);
  } finally {
    await own.stop();
  }
});

test('health and metrics are answered without limit', async () => {
  const address = newAddress();
  for (const path of ['/livez', '/readyz', '/metrics']) {
    const answers = await Promise.all(
      Array.from({ length: perAddress + 5 }, () => bareCall(system, 'GET', path, from(address))),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers[0]!.headers.get('ratelimit-limit')).toBeNull();
  }
});

// F40
test('a thousand wrong tokens from one address are told to slow down, and a valid one from another is answered meanwhile', async () => {
  const valid = await insertToken(system);
  const address = newAddress();
  const guess = (index: number) => ask(`dctl_${String(index).padStart(36, '0')}`, address);
  const guesses: Promise<Answer>[] = [];
  const tookMs: number[] = [];
  for (let batch = 0; batch < 10; batch += 1) {
    for (let index = 0; index < 100; index += 1) guesses.push(guess(batch * 100 + index));
    const startedAt = performance.now();
    await expectStatus(200, ask(valid, newAddress()));
    tookMs.push(performance.now() - startedAt);
  }
  const answers = await Promise.all(guesses);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(900);
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(100);
  expectTooMany(refused[0]!, 'tokens that are not valid');
  expect(refused[0]!.headers.get('ratelimit-limit')).toBe('100');
  expect(Math.max(...tookMs)).toBeLessThan(1_000);
  const { text } = await bareCall(system, 'GET', '/metrics', {});
  expect(
    Number(/^dctl_failed_authentications_total\{with="token"\} (\d+)$/m.exec(text)?.[1]),
  ).toBeGreaterThanOrEqual(1_000);
  expect(text).toMatch(/^dctl_rate_limited_total\{per="token"\} \d+$/m);

  // From the address of the guesses, too.
  await expectStatus(200, ask(await insertToken(system), address));
});

function ask(token: string, address: string): Promise<Answer> {
  return bareCall(system, 'GET', '/api/v1/projects', { ...from(address), authorization: `Bearer ${token}` });
}

const from = (address: string) => ({ 'x-forwarded-for': address });

function newAddress(): string {
  addresses.next += 1;
  return `192.0.2.${addresses.next}`;
}

function expectTooMany(answer: Answer, detail: string): void {
  expect(answer.status).toBe(429);
  expect(answer.headers.get('content-type')).toMatch('application/problem+json');
  expect(answer.body).toMatchObject({ status: 429, detail: expect.stringContaining(detail) });
  expect(answer.headers.get('ratelimit-remaining')).toBe('0');
  expectSeconds(answer.headers.get('retry-after'));
  expect(answer.headers.get('retry-after')).toBe(answer.headers.get('ratelimit-reset'));
}

function expectSeconds(text: string | null): void {
  expect(Number(text)).toBeGreaterThan(0);
  expect(Number(text)).toBeLessThanOrEqual(60);
}
