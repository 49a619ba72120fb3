import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { expectNoErrors } from '../support/errors.ts';
import { deployProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { runClient } from './environments.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  await deployProject(system);
});
afterAll(() => system.stop());

/** Checks that do not hold for a reason, each with it. */
const notAsked: Record<string, string> = {};

test('every operation answers whatever fits its document, and whatever does not, as the document says', async () => {
  const { exitCode, stdout } = await runClient(
    'schemathesis',
    [
      'schemathesis',
      'run',
      `${system.url}/api/openapi.json`,
      `--header=Authorization: Bearer ${system.token}`,
      '--checks=all',
      ...Object.keys(notAsked).map((check) => `--exclude-checks=${check}`),
      '--phases=examples,coverage,fuzzing',
      '--max-examples=10',
      '--seed=1',
      '--generation-deterministic',
      '--request-timeout=20',
      '--workers=2',
    ],
    { timeoutMs: 540_000 },
  );
  expect({ exitCode, said: exitCode === 0 ? '' : stdout.slice(-20_000) }).toEqual({ exitCode: 0, said: '' });
  expectNoErrors(system);
}, 560_000);
