import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { packFolder } from '../../scripts/setup/archive.ts';
import { createJob, deployProject, expectStatus } from '../support/project.ts';
import type { DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { example, variantOfExample } from './variant.ts';

let system: System;
let shop: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  shop = await deployProject(system, { type: 'sqlmesh', folder: example });
});

afterAll(async () => {
  await system?.stop();
});

async function deployTo(type: string, folder: string) {
  const name = `project-${Math.random().toString(36).slice(2)}`;
  const { body } = await expectStatus(201, system.call('POST', '/api/v1/projects', { name, type }));
  const gzip = { 'content-type': 'application/gzip' };
  return system.call('POST', `/api/v1/projects/${body.id}/deployments`, await packFolder(folder), gzip);
}

test('a project is of a type that is asked for by name', async () => {
  const { body } = await expectStatus(200, system.call('GET', `/api/v1/projects/${shop.projectId}`));
  expect(body).toMatchObject({
    type: 'sqlmesh',
    jobs: [{ name: 'scheduled-run', command: 'sqlmesh plan --auto-apply --no-prompts' }],
  });
  const wrong = await expectStatus(400, system.call('POST', '/api/v1/projects', { name: 'x', type: 'SQL' }));
  expect(wrong.text).toContain('write \\"dbt\\" or \\"sqlmesh\\"');
});

test("a deployment holds what its project's type needs", async () => {
  const dbt = await expectStatus(400, deployTo('dbt', example));
  expect(dbt.body.detail).toMatch(/no dbt_project\.yml at its top/);
  const sqlmesh = await expectStatus(400, deployTo('sqlmesh', 'examples/jaffle_shop'));
  expect(sqlmesh.body.detail).toMatch(/no config\.yaml \(or config\.yml, config\.py\) at its top/);
});

test.each(['config.yml', 'config.py'])('a SQLMesh project may have its settings in %s', async (name) => {
  const { folder, remove } = await variantOfExample({ 'config.yaml': () => null, [name]: () => 'settings' });
  try {
    await expectStatus(201, deployTo('sqlmesh', folder));
  } finally {
    await remove();
  }
});

describe('a SQLMesh project', () => {
  const jobs = () => `/api/v1/projects/${shop.projectId}/jobs`;

  test('has commands of SQLMesh, and a dbt project has none', async () => {
    const made = await createJob(system, shop.projectId, { command: ' sqlmesh  run --ignore-cron ' });
    const { body } = await expectStatus(200, system.call('GET', `${jobs()}/${made}`));
    expect(body.command).toBe('sqlmesh  run --ignore-cron');

    const dbtCommand = { name: 'nightly', commands: ['sqlmesh run', 'dbt build'] };
    const refused = await expectStatus(400, system.call('POST', jobs(), dbtCommand));
    expect(refused.body.errors).toEqual([
      { pointer: '/commands/1', position: 0, detail: expect.stringContaining('runs no dbt commands') },
    ]);

    const dbt = await deployProject(system);
    const job = `/api/v1/projects/${dbt.projectId}/jobs/${dbt.jobId}`;
    const other = await expectStatus(400, system.call('PATCH', job, { command: 'sqlmesh run' }));
    expect(other.body.detail).toMatch(
      /dbt project, which runs no sqlmesh commands; write for example dbt build/,
    );
  });

  test('takes no command_override, and no run is recorded', async () => {
    const path = `${jobs()}/${shop.jobId}/trigger`;
    for (const command_override of ['sqlmesh run', 'dbt build']) {
      const refused = await expectStatus(400, system.call('POST', path, { command_override }));
      expect(refused.body).toMatchObject({
        detail: expect.stringContaining('command_override is only available for dbt projects'),
        errors: [{ pointer: '/command_override' }],
      });
    }
    expect((await system.pool.query('SELECT id FROM runs')).rows).toEqual([]);
  });

  test("takes none of dbt's own settings for its jobs", async () => {
    const job = `${jobs()}/${shop.jobId}`;
    for (const [field, value] of Object.entries({ target: 'prod', threads: 2, generate_docs: true })) {
      const refused = await expectStatus(400, system.call('PATCH', job, { [field]: value }));
      const detail = expect.stringContaining('for dbt projects only');
      expect(refused.body.errors).toEqual([{ pointer: `/${field}`, detail }]);
    }
    const nothing = { description: 'nightly', target: null, threads: null, generate_docs: false };
    await expectStatus(200, system.call('PATCH', job, nothing));
  });

  test('fires no webhook, so enabling one is refused', async () => {
    const webhook = { webhook_enabled: true, webhook_url: 'https://example.com/hook' };
    const job = `${jobs()}/${shop.jobId}`;
    const refused = [
      await expectStatus(400, system.call('PATCH', job, webhook)),
      await expectStatus(
        400,
        system.call('POST', jobs(), { name: 'told', command: 'sqlmesh run', ...webhook }),
      ),
    ];
    for (const { body } of refused) {
      expect(body.errors).toEqual([
        { pointer: '/webhook_enabled', detail: expect.stringContaining('dbt projects only') },
      ]);
    }
  });
});
