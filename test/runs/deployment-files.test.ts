import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packFolder } from '../../scripts/setup/archive.ts';
import { deployProject, ended, expectStatus, trigger } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

test('packages that a project names are installed before its command runs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dctl-project-'));
  try {
    await cp('examples/jaffle_shop', folder, { recursive: true });
    await mkdir(join(folder, 'greetings', 'macros'), { recursive: true });
    await writeFile(join(folder, 'packages.yml'), 'packages:\n  - local: greetings\n');
    await writeFile(
      join(folder, 'greetings', 'dbt_project.yml'),
      'name: greetings\nversion: 1.0.0\nconfig-version: 2\n',
    );
    await writeFile(
      join(folder, 'greetings', 'macros', 'greet.sql'),
      `{% macro greet() %}{{ log('greetings from a package', info=True) }}{% endmacro %}`,
    );
    const project = await deployProject(system, { folder });
    const runId = await trigger(system, project, { command_override: 'dbt run-operation greetings.greet' });
    expect(await ended(system, runId)).toMatchObject({ status: 'success' });
    expect((await system.call('GET', `/api/v1/runs/${runId}/logs`)).text).toContain(
      'greetings from a package',
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('after rolling back a run executes the earlier code', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dctl-project-'));
  try {
    await cp('examples/jaffle_shop', folder, { recursive: true });
    await mkdir(join(folder, 'macros'), { recursive: true });
    const macro = (text: string) =>
      `{% macro say() %}{{ log('this is the ${text} code', info=True) }}{% endmacro %}`;
    await writeFile(join(folder, 'macros', 'say.sql'), macro('first'));
    const project = await deployProject(system, { folder });
    const path = `/api/v1/projects/${project.projectId}`;
    const { deployment: first } = (await system.call('GET', path)).body;

    await writeFile(join(folder, 'macros', 'say.sql'), macro('second'));
    const gzip = { 'content-type': 'application/gzip' };
    await expectStatus(201, system.call('POST', `${path}/deployments`, await packFolder(folder), gzip));
    const say = async () => {
      const runId = await trigger(system, project, { command_override: 'dbt run-operation say' });
      expect(await ended(system, runId)).toMatchObject({ status: 'success' });
      return (await system.call('GET', `/api/v1/runs/${runId}/logs`)).text;
    };
    expect(await say()).toContain('this is the second code');
    await expectStatus(200, system.call('POST', `${path}/deployments/${first.id}/activate`));
    expect(await say()).toContain('this is the first code');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('artifacts past the limit are not kept, and the others are', async () => {
  const limited = await startSystem({ environment: { DCTL_MAX_ARTIFACT_BYTES: '20000' } });
  try {
    const project = await deployProject(limited);
    const runId = await trigger(limited, project, { command_override: 'dbt seed --select raw_customers' });
    expect(await ended(limited, runId)).toMatchObject({ status: 'success' });
    const { data } = (await limited.call('GET', `/api/v1/runs/${runId}/artifacts`)).body;
    const paths = data.map(({ path }: { path: string }) => path);
    expect(paths).toContain('run_results.json');
    expect(paths).not.toContain('manifest.json');
  } finally {
    await limited.stop();
  }
});
