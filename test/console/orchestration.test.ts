import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { deployProject, expectStatus } from '../support/project.ts';
import { addPerson, type Person } from '../support/session.ts';
import { call, startSystem, type System } from '../support/system.ts';
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
let admin: Person;
let opened: OpenPage;

beforeAll(async () => {
  [system, browser] = await Promise.all([startSystem({ workers: 0 }), startChromium()]);
  [admin] = await Promise.all([addPerson(system, 'admin'), deployProject(system, { name: 'jaffle shop' })]);
  opened = await openConsole(browser, system, admin);
});
afterAll(async () => {
  await browser?.close();
  await system?.stop();
});

let eventId: string;

test('from a source over a rule to the run of an event, and why another made none', async () => {
  const { page, go } = opened;
  await go('/orchestration/sources');
  await page.getByRole('button', { name: 'New source' }).click();
  await page.getByLabel('Name').fill('erathos');
  await page.getByRole('button', { name: 'Create' }).click();
  const secret = await page.getByLabel('Secret of erathos', { exact: true }).inputValue();
  const [source] = (await expectStatus(200, system.call('GET', '/api/v1/event-sources'))).body.data;

  await go('/orchestration/rules');
  await page.getByRole('link', { name: 'New rule' }).click();
  await page.getByLabel('Name', { exact: true }).fill('orders were loaded');
  await page.getByRole('button', { name: 'Add condition' }).click();
  await page.getByLabel('Field of condition 1').fill('rows');
  await page.getByLabel('Operator of condition 1').selectOption('>');
  await page.getByLabel('Value of condition 1').fill('0');
  await page.getByLabel('Command').fill('dbt build --select source:raw.${{event.table}}+');
  await page.getByLabel('Cause').fill('${{event.table}} was loaded');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { level: 1, name: 'orders were loaded' }).waitFor();

  const send = async (event: unknown) =>
    call(`${system.url}/api/v1/events/${source.id}`, 'POST', event, { authorization: `Bearer ${secret}` });
  const sent = await expectStatus(200, send({ id: 'load-1', table: 'orders', rows: 7 }));
  await expectStatus(200, send({ id: 'load-2', table: '<b>orders</b>', rows: 0 }));
  eventId = sent.body.id;
  await go('/orchestration');
  await page.getByRole('link', { name: 'load-2' }).waitFor();
  await opened.screenshot('events');
  await page.getByRole('link', { name: 'load-1' }).click();
  await page.getByText('orders was loaded').waitFor();
  expect(await page.getByLabel('Event data').textContent()).toContain('"rows": 7');
  await go(`/runs/${sent.body.verdicts[0].run_id}`);
  await page.getByRole('link', { name: 'erathos: load-1' }).click();
  await page.getByText('orders was loaded').waitFor();
  await go('/orchestration');
  await page.getByRole('link', { name: 'load-2' }).click();
  await page.getByText('actual: 0').waitFor();

  await go('/orchestration/rules');
  await page.getByRole('link', { name: 'orders were loaded' }).click();
  await page.getByRole('button', { name: 'Preview' }).click();
  await page.getByText('1 of 2 events match: 1 run.').waitFor();
  await opened.screenshot('rule');
});

test('a hook names variables and secrets, and is tried out without a word of the secret', async () => {
  const { page, go } = opened;
  await go('/orchestration/values');
  await page.getByLabel('Variable name').fill('account');
  await page.getByLabel('Variable value').fill('12345');
  await page.getByRole('button', { name: 'Set variable' }).click();
  await page.getByText('account is set.').waitFor();
  await page.getByLabel('Secret name').fill('token');
  await page.getByLabel('Secret value').fill('hunter2-hunter2');
  await page.getByRole('button', { name: 'Set secret' }).click();
  await page.getByText('token is set.').waitFor();

  await go('/orchestration/hooks/new');
  await page.getByLabel('Description').fill('tell the team');
  await page.getByLabel('URL').fill('https://api.example.com/${{variables.account}}/runs');
  await page.getByRole('button', { name: 'Add header' }).click();
  await page.getByLabel('Name of header 1').fill('Authorization');
  await page.getByLabel('Value of Authorization').fill('Bearer ${{secrets.token}}');
  await page.getByLabel('Body').fill('{ "run": "${{run.ID}}" }');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { level: 1, name: 'tell the team' }).waitFor();
  const [hook] = (await expectStatus(200, system.call('GET', '/api/v1/hooks'))).body.data;
  expect(hook).toMatchObject({
    method: 'POST',
    header: { Authorization: 'Bearer ${{secrets.token}}' },
    body: { run: '${{run.ID}}' },
  });
  expect(await page.content()).not.toContain('hunter2');

  // A hook that names a variable that is not there is refused, beside the field.
  await page.getByLabel('URL').fill('https://api.example.com/${{variables.nobody}}/runs');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.locator('.field-problem').waitFor();
  await opened.screenshot('hook');
});

test.each([
  ['in the light', 'light', {}],
  ['in the dark on a phone', 'phone', { ...dark, ...narrow }],
])('all pages of orchestration are fit for everybody %s', async (_name, name, options) => {
  const window = await openConsole(browser, system, admin, options);
  const paths = {
    events: '',
    event: `/events/${eventId}`,
    rules: '/rules',
    'new-rule': '/rules/new',
    sources: '/sources',
    hooks: '/hooks',
    'new-hook': '/hooks/new',
    values: '/values',
  };
  for (const [called, below] of Object.entries(paths)) {
    const path = `/orchestration${below}`;
    await window.go(path);
    await window.screenshot(`orchestration-${called}-${name}`);
    expect({ path, issues: await seriousIssues(window.page) }).toEqual({ path, issues: [] });
    expect({ path, sideways: await movesSideways(window.page) }).toEqual({ path, sideways: false });
  }
  expect(window.complaints).toEqual([]);
  await window.close();
});

test('nothing was complained of in the browser', () => {
  expect(opened.complaints).toEqual([]);
});
