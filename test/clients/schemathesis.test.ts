import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { expectNoErrors } from '../support/errors.ts';
import { deployProject, trigger } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { runClient } from './environments.ts';

const folder = join(import.meta.dirname, 'schemathesis');
const report = join('.dctl', 'test', 'schemathesis.txt');

let system: System;
/** For the settings beside this file. */
let known: Record<string, string>;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  const project = await deployProject(system);
  const runId = await trigger(system, project);
  known = {
    HERE: folder,
    ORGANIZATION_ID: system.organizationId,
    PROJECT_ID: project.projectId,
    ENVIRONMENT_ID: project.environmentId,
    JOB_ID: project.jobId,
    RUN_ID: runId,
    CURSOR: Buffer.from(JSON.stringify([new Date().toISOString(), '1 0'])).toString('base64url'),
  };
});
afterAll(() => system.stop());

test('every operation answers whatever fits its document, and whatever does not, as the document says', async () => {
  const { exitCode, stdout, stderr } = await runClient(
    'schemathesis',
    [
      'schemathesis',
      `--config-file=${join(folder, 'schemathesis.toml')}`,
      'run',
      `${system.url}/api/openapi.json`,
      `--header=Authorization: Bearer ${system.token}`,
      '--phases=examples,coverage,fuzzing',
      '--max-examples=5',
      '--seed=1',
      '--generation-deterministic',
      '--request-timeout=20',
      // More than one make Python 3.11 fail now and then.
      '--workers=1',
    ],
    { env: known, timeoutMs: 540_000 },
  );
  await mkdir(dirname(report), { recursive: true });
  await writeFile(report, stdout + stderr);
  expect({ exitCode, report: exitCode === 0 ? '' : report }).toEqual({ exitCode: 0, report: '' });
  expectNoErrors(system);
}, 560_000);
