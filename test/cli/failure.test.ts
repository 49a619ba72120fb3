import { expect, test } from '@jest/globals';
import { toldError } from '../../cli/failure.ts';
import { formatTime } from '../../cli/output/format.ts';
import { DctlError } from '../../client/index.ts';

test.each([
  [
    'The project has no code to run: deploy it first (POST .../deployments).',
    'The project has no code to run. Deploy it first: dctl deploy',
  ],
  [
    'The job has no webhook yet. Set its webhook_url first.',
    'The job has no webhook yet. Set its URL first: dctl jobs set JOB --webhook-url URL',
  ],
  [
    "The delivery's job sends no webhooks any more. Set its webhook_enabled to true first.",
    "The delivery's job sends no webhooks any more. Set its URL first: dctl jobs set JOB --webhook-url URL",
  ],
  [
    'Give the command to run, such as "dbt build" (or several, as commands).',
    'Give the command to run, such as "dbt build", with --command.',
  ],
  ['A semicolon is not allowed.', 'A semicolon is not allowed.'],
])('advice for callers of the API is told as a command: %s', (detail, told) => {
  expect(toldError(new DctlError(409, { detail }))?.message).toBe(told);
});

test('a time is told in its timezone, which is named', () => {
  expect(formatTime('2026-11-30T05:00:00.000Z', 'Europe/Berlin')).toBe('2026-11-30 06:00 Europe/Berlin');
  expect(formatTime('2026-11-30T05:00:00.000Z')).toBe('2026-11-30 05:00 UTC');
});
