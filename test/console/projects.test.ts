import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { packFolder } from '../../scripts/setup/archive.ts';
import { deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { addPerson, type Person } from '../support/session.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import {
  dark,
  movesSideways,
  narrow,
  openConsole,
  seriousIssues,
  startChromium,
  type OpenPage,
} from './browser.ts';

let system: System;
let browser: Browser;
let project: DeployedProject;
let admin: Person;
let opened: OpenPage;

beforeAll(async () => {
  [system, browser] = await Promise.all([startSystem({ workers: 0 }), startChromium()]);
  [project, admin] = await Promise.all([
    deployProject(system, { name: 'jaffle shop' }),
    addPerson(system, 'admin'),
  ]);
  opened = await openConsole(browser, system, admin);
});
afterAll(async () => {
  await browser?.close();
  await system?.stop();
});

const projectPath = () => `/api/v1/projects/${project.projectId}`;
const environmentPath = () => `${projectPath()}/environments/${project.environmentId}`;
const read = async (path: string) => (await expectStatus(200, system.call('GET', path))).body;

test('code is uploaded, used from then on, and rolled back', async () => {
  const [first] = (await read(`${projectPath()}/deployments`)).data;
  const folder = await mkdtemp(join(tmpdir(), 'dctl-console-'));
  await cp('examples/jaffle_shop', folder, { recursive: true });
  await writeFile(join(folder, 'models', 'another.sql'), 'select 1 as one');
  const { page, go } = opened;
  await go(`/projects/${project.projectId}`);
  await page.getByLabel('Project folder as .tar.gz').setInputFiles({
    name: 'project.tar.gz',
    mimeType: 'application/gzip',
    buffer: await packFolder(folder),
  });
  await page.getByText('Deployed.').waitFor();
  await rm(folder, { recursive: true });
  const current = page.getByRole('article').filter({ hasText: 'active' });
  await until(
    'runs use the new one',
    () => current.locator('code').first().getAttribute('title'),
    (digest) => digest !== first.digest,
  );
  expect((await read(projectPath())).deployment.by).toBe(admin.email);
  await opened.screenshot('project');

  await page.getByRole('button', { name: /^Roll back/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
  await until(
    'runs use the first one again',
    () => current.locator('code').first().getAttribute('title'),
    (digest) => digest === first.digest,
  );
  expect((await read(projectPath())).deployment).toMatchObject({ id: first.id, by: admin.email });
});

test("an upload that is refused says so in the server's words", async () => {
  const { page, go } = opened;
  await go(`/projects/${project.projectId}`);
  const file = { name: 'not.tar.gz', mimeType: 'application/gzip', buffer: Buffer.from('no archive') };
  await page.getByLabel('Project folder as .tar.gz').setInputFiles(file);
  const refused = await system.call('POST', `${projectPath()}/deployments`, file.buffer, {
    'content-type': 'application/gzip',
  });
  expect(await page.getByRole('alert').textContent()).toContain(refused.body.detail);
});

test('dbt docs that no run has written are said to be missing once they are wanted', async () => {
  const { page, go } = opened;
  await go(`/projects/${project.projectId}`);
  await page.getByRole('link', { name: 'dbt docs' }).click();
  const path = `/api/v1/organizations/${system.organizationId}/projects/${project.projectId}/docs`;
  const refused = await expectStatus(404, system.call('GET', path));
  await page.getByRole('alert').getByText(refused.body.detail).waitFor();
});

test('a secret is set and deleted, and its value is nowhere on the page afterwards', async () => {
  const { page, go } = opened;
  await go(`/projects/${project.projectId}/environments/${project.environmentId}`);
  await page.getByLabel('Secret name').fill('WAREHOUSE_PASSWORD');
  await page.getByLabel('Secret value').fill('hunter2-hunter2');
  await page.getByRole('button', { name: 'Set secret' }).click();
  await page.getByText('WAREHOUSE_PASSWORD is set.').waitFor();
  expect((await read(`${environmentPath()}/secrets`)).data).toMatchObject([
    { name: 'WAREHOUSE_PASSWORD', updated_by: admin.email },
  ]);
  expect(await page.content()).not.toContain('hunter2');
  expect(await page.getByLabel('Secret value').inputValue()).toBe('');

  await page.getByRole('button', { name: 'Delete: WAREHOUSE_PASSWORD' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('No secrets yet.').waitFor();
  expect((await read(`${environmentPath()}/secrets`)).data).toEqual([]);
});

test('variables and a warehouse are saved, and its password is kept when all else is changed', async () => {
  const { page, go } = opened;
  await go(`/projects/${project.projectId}/environments/${project.environmentId}`);
  await page.getByRole('button', { name: 'Add variable' }).click();
  await page.getByLabel('Name of variable 1').fill('PATH');
  await page.getByLabel('Value of PATH').fill('/tmp');
  await page.getByRole('button', { name: 'Save variables' }).click();
  await page.locator('.field-problem').waitFor();
  await page.getByLabel('Name of variable 1').fill('SCHEMA_PREFIX');
  await page.getByLabel('Value of SCHEMA_PREFIX').fill('ci_');
  await page.getByRole('button', { name: 'Save variables' }).click();
  await page.getByText('Saved.').waitFor();
  expect((await read(environmentPath())).env_vars).toEqual({ SCHEMA_PREFIX: 'ci_' });

  await page.getByLabel('Type').selectOption('Postgres');
  for (const [label, value] of Object.entries({
    Host: 'warehouse.example.com',
    User: 'dbt',
    Password: 'hunter2-hunter2',
    Database: 'shop',
    Schema: 'analytics',
  }))
    await page.getByLabel(label, { exact: true }).fill(value);
  await page.getByRole('button', { name: 'Save warehouse' }).click();
  await until(
    'the warehouse is saved',
    async () => (await read(environmentPath())).connection,
    (connection) => connection !== null,
  );
  await until(
    'the form shows it as stored',
    () => page.getByLabel('Password', { exact: true }).inputValue(),
    (value) => value === '***',
  );
  await page.getByLabel('Schema', { exact: true }).fill('marts');
  await page.getByRole('button', { name: 'Save warehouse' }).click();
  await until(
    'the schema is changed',
    async () => (await read(environmentPath())).connection,
    ({ schema }) => schema === 'marts',
  );
  // Another host is not handed the password: the server says that it is wanted again.
  await page.getByLabel('Host', { exact: true }).fill('elsewhere.example.com');
  await page.getByRole('button', { name: 'Save warehouse' }).click();
  await page.locator('.field-problem').waitFor();
  expect((await read(environmentPath())).connection.host).toBe('warehouse.example.com');
  await opened.screenshot('environment');
});

test('projects, environments and jobs are made and deleted', async () => {
  const { page, go } = opened;
  await go('/projects');
  await page.getByRole('button', { name: 'New project' }).click();
  await page.getByLabel('Name').fill('<img src=x onerror=alert(1)>');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { level: 1, name: '<img src=x onerror=alert(1)>' }).waitFor();
  const made = page.url().split('/').at(-1)!;

  await page.getByRole('link', { name: 'Environments' }).click();
  await page.getByRole('button', { name: 'New environment' }).click();
  await page.getByLabel('Name').fill('staging');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { level: 1, name: 'staging' }).waitFor();

  await go('/jobs');
  await page.getByRole('button', { name: 'New job' }).click();
  await page.getByLabel('Project').selectOption({ value: made });
  await page.getByLabel('Name').fill('hourly');
  await page.getByLabel('Command').fill('dbt build');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { level: 1, name: 'hourly' }).waitFor();

  await go(`/projects/${made}/settings`);
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('heading', { level: 1, name: 'Projects' }).waitFor();
  expect((await read('/api/v1/projects')).data.map(({ id }: { id: string }) => id)).not.toContain(made);
});

test.each([
  ['in the light', 'light', {}],
  ['in the dark on a phone', 'phone', { ...dark, ...narrow }],
])('all pages of projects are fit for everybody %s', async (_name, name, options) => {
  const window = await openConsole(browser, system, admin, options);
  const here = `/projects/${project.projectId}`;
  const paths = {
    projects: '/projects',
    project: here,
    environments: `${here}/environments`,
    environment: `${here}/environments/${project.environmentId}`,
    'project-settings': `${here}/settings`,
  };
  for (const [called, path] of Object.entries(paths)) {
    await window.go(path);
    await window.screenshot(`${called}-${name}`);
    expect({ path, issues: await seriousIssues(window.page) }).toEqual({ path, issues: [] });
    expect({ path, sideways: await movesSideways(window.page) }).toEqual({ path, sideways: false });
  }
  expect(window.complaints).toEqual([]);
  await window.close();
});

test('nothing was complained of in the browser', () => {
  expect(opened.complaints).toEqual([]);
});
