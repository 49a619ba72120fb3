import { expect, test } from '@jest/globals';
import { nextStep } from '../../src/webhooks/attempt.ts';
import type { PostOutcome } from '../../src/webhooks/attempt.ts';

const plain = { knowsRepeats: false };
const timedOut: PostOutcome = { kind: 'timed_out', status: null, durationMs: 10_000, answer: '' };
const refused: PostOutcome = { kind: 'failed', durationMs: 3, reason: 'No connection could be made (X).' };
const blocked: PostOutcome = { kind: 'blocked', reason: 'Webhooks are not sent to this host.' };

test.each([200, 201, 202, 204, 299])('%d is delivered at the first try and at the second', (status) => {
  expect(nextStep(answered(status), 1, plain).state).toBe('delivered');
  expect(nextStep(answered(status), 2, plain).state).toBe('delivered');
});

test.each([
  ['500', answered(500)],
  ['503', answered(503)],
  ['599', answered(599)],
  ['a timeout', timedOut],
  ['a timeout after the head of a 200', { ...timedOut, status: 200 }],
  ['no connection', refused],
])('%s is tried once more after 2 s, and then never again', (_what, outcome) => {
  expect(nextStep(outcome, 1, plain)).toMatchObject({ state: 'retry', retryAfterMs: 2000 });
  expect(nextStep(outcome, 2, plain)).toMatchObject({ state: 'failed' });
  expect(nextStep(outcome, 3, plain)).toMatchObject({ state: 'failed' });
});

test.each([300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 409, 410, 415, 422, 429])(
  '%d fails without a retry',
  (status) => {
    expect(nextStep(answered(status), 1, plain)).toMatchObject({
      state: 'failed',
      why: expect.stringContaining(`${status}`),
    });
  },
);

test('a blocked host is not tried again', () => {
  expect(nextStep(blocked, 1, plain)).toMatchObject({ state: 'blocked' });
});

test('409 on the retry to a receiver that knows repeats means the first try had arrived', () => {
  expect(nextStep(answered(409), 2, { knowsRepeats: true })).toMatchObject({ state: 'delivered' });
  expect(nextStep(answered(409), 1, { knowsRepeats: true })).toMatchObject({ state: 'failed' });
  expect(nextStep(answered(409), 2, plain)).toMatchObject({ state: 'failed' });
});

test('409 at once, to a delivery that was sent again, means that an earlier one had arrived', () => {
  const toldBefore = true;
  expect(nextStep(answered(409), 1, { knowsRepeats: true, toldBefore })).toMatchObject({
    state: 'delivered',
  });
  expect(nextStep(answered(409), 1, { ...plain, toldBefore })).toMatchObject({ state: 'failed' });
  expect(nextStep(answered(404), 1, { knowsRepeats: true, toldBefore })).toMatchObject({ state: 'failed' });
});

test('every step says why', () => {
  const outcomes = [answered(200), answered(302), answered(404), answered(500), timedOut, refused, blocked];
  for (const outcome of outcomes) expect(nextStep(outcome, 1, plain).why).toMatch(/^[A-Z].*\.$/);
  expect(nextStep(timedOut, 1, { ...plain, pausesMs: [500] }).why).toContain('once more after 0.5 s');
});

test('a patient sender tries after each of its pauses, also where it was asked to slow down', () => {
  const patient = { ...plain, isPatient: true, pausesMs: [5_000, 30_000] };
  for (const outcome of [answered(429), answered(502), timedOut, refused]) {
    expect([1, 2, 3].map((number) => nextStep(outcome, number, patient))).toMatchObject([
      { state: 'retry', retryAfterMs: 5_000, why: expect.stringContaining('again after 5 s') },
      { state: 'retry', retryAfterMs: 30_000, why: expect.stringContaining('once more after 30 s') },
      { state: 'failed', why: expect.stringContaining('the last of 3 tries') },
    ]);
  }
  for (const status of [302, 400, 404, 409])
    expect(nextStep(answered(status), 1, patient).state).toBe('failed');
  expect(nextStep(answered(500), 1, { ...patient, pausesMs: [] }).why).toContain('the only try');
});

test('what would be refused again is not asked again', () => {
  expect(nextStep({ ...refused, isRefusal: true }, 1, plain)).toMatchObject({ state: 'failed' });
});

function answered(status: number): PostOutcome {
  return { kind: 'answered', status, durationMs: 5, answer: '' };
}
