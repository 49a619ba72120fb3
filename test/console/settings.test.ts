import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { expectStatus } from '../support/project.ts';
import { addPerson, trySignIn, type Person } from '../support/session.ts';
import { call, startSystem, type System } from '../support/system.ts';
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
let admin: Person;
let opened: OpenPage;

beforeAll(async () => {
  [system, browser] = await Promise.all([startSystem({ workers: 0 }), startChromium()]);
  admin = await addPerson(system, 'admin');
  opened = await openConsole(browser, system, admin);
});
afterAll(async () => {
  await browser?.close();
  await system?.stop();
});

const asking = (token: string) =>
  call(`${system.url}/api/v1/projects`, 'GET', undefined, { authorization: `Bearer ${token}` });

test('Settings > Authentication > API Tokens: a token is made, shown once, and refused once it is revoked', async () => {
  const { page, go } = opened;
  await go('/settings');
  await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'API Tokens' }).click();
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByLabel('Name').fill('airflow');
  await page.getByLabel('Scope').selectOption('read');
  await page.getByRole('button', { name: 'Create' }).click();
  const token = await page.getByLabel('Token airflow', { exact: true }).inputValue();
  expect(token).toMatch(/^dctl_/);
  await opened.screenshot('api-tokens');
  expect((await asking(token)).status).toBe(200);

  await page.reload();
  await page.getByRole('row', { name: /airflow/ }).waitFor();
  expect(await page.content()).not.toContain(token);
  await page.getByRole('button', { name: 'Revoke: airflow' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('row', { name: /airflow/ }).waitFor({ state: 'detached' });
  expect((await asking(token)).status).toBe(401);
  await page.getByLabel('Show revoked and expired tokens').check();
  await page.getByRole('row', { name: /airflow.*revoked/ }).waitFor();
});

test("a user's role is changed, and counts from the next request on", async () => {
  const person = await addPerson(system, 'viewer');
  const { page, go } = opened;
  await go('/settings/users');
  await page.getByLabel(`Role of ${person.email}`).selectOption('operator');
  await page.getByText('Saved.').waitFor();
  const session = await expectStatus(200, trySignIn(system, person));
  expect(session.body.organizations).toMatchObject([{ role: 'operator' }]);

  await page.getByRole('button', { name: `Remove: ${person.email}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByLabel(`Role of ${person.email}`).waitFor({ state: 'detached' });
});

test('the last admin cannot be made a viewer, and is told why', async () => {
  const { body } = await system.call('GET', '/api/v1/users');
  const admins = body.data.filter(({ role }: { role: string }) => role === 'admin');
  expect(admins.map(({ email }: { email: string }) => email)).toContain(admin.email);
  for (const { id } of admins.filter(({ id: each }: { id: string }) => each !== admin.id))
    await expectStatus(204, system.call('DELETE', `/api/v1/users/${id}`));
  const { page, go } = opened;
  await go('/settings/users');
  await page.getByLabel(`Role of ${admin.email}`).selectOption('viewer');
  const refused = await system.call('PATCH', `/api/v1/users/${admin.id}`, { role: 'viewer' });
  await page.getByRole('alert').getByText(refused.body.detail).waitFor();
});

test('somebody is invited by a link, which makes them a member', async () => {
  const { page, go } = opened;
  await go('/settings/users');
  await page.getByRole('button', { name: 'Invite user' }).click();
  await page.getByLabel('E-mail').fill('new@example.com');
  await page.getByRole('button', { name: 'Create invitation' }).click();
  const link = await page.getByLabel('Invitation link for new@example.com', { exact: true }).inputValue();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'Revoke: new@example.com' }).waitFor();
  await opened.screenshot('users');

  const accepted = await call(
    `${system.url}/api/v1/invitations/accept`,
    'POST',
    { token: link.split('#')[1], password: 'a password of some length' },
    {},
  );
  expect(accepted.status).toBe(200);
  await go('/settings/users');
  await page.getByLabel('Role of new@example.com').waitFor();
});

test('what was done stands in the audit log, and is found by its action', async () => {
  await expectStatus(201, system.call('POST', '/api/v1/tokens', { name: 'noted', scope: 'read' }));
  const { page, go } = opened;
  await go('/settings/audit');
  expect((await page.locator('.audit-details').allTextContents()).join('')).not.toMatch(/[{}[\]"]/);
  await page.getByRole('button', { name: 'token.created' }).first().click();
  await page.waitForURL(/action=token\.created/);
  await until(
    'only those are shown',
    () => page.locator('tbody tr button').allTextContents(),
    (actions) => actions.length > 0 && actions.every((action) => action === 'token.created'),
  );
});

test('all sessions are ended everywhere, and a new password counts', async () => {
  const person = await addPerson(system, 'viewer');
  const [here, elsewhere] = await Promise.all([
    openConsole(browser, system, person),
    openConsole(browser, system, person),
  ]);
  await here.go('/settings');
  expect(await here.page.getByRole('link', { name: 'API Tokens' }).count()).toBe(0);
  await here.page.getByLabel('Current password').fill('not it, whatever it is');
  await here.page.getByLabel('New password').fill('another long password');
  await here.page.getByRole('button', { name: 'Change password' }).click();
  await here.page.getByRole('alert').waitFor();
  await here.page.getByLabel('Current password').fill(person.password);
  await here.page.getByRole('button', { name: 'Change password' }).click();
  await here.page.getByText('Password changed.').waitFor();

  await here.page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await here.page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
  await here.page.getByLabel('E-mail').waitFor();
  await elsewhere.page.goto(`${system.url}/console/runs`);
  await elsewhere.page.getByLabel('E-mail').waitFor();
  expect((await trySignIn(system, { ...person, password: 'another long password' })).status).toBe(200);
  await Promise.all([here.close(), elsewhere.close()]);
});

test.each([
  ['in the light', 'light', {}],
  ['in the dark on a phone', 'phone', { ...dark, ...narrow }],
])('all settings are fit for everybody %s', async (_name, name, options) => {
  const window = await openConsole(browser, system, admin, options);
  for (const place of [
    'authentication/account',
    'authentication/api-tokens',
    'organization',
    'users',
    'audit',
  ]) {
    await window.go(`/settings/${place}`);
    await window.screenshot(`settings-${place.split('/').at(-1)}-${name}`);
    expect({ place, issues: await seriousIssues(window.page) }).toEqual({ place, issues: [] });
    expect({ place, sideways: await movesSideways(window.page) }).toEqual({ place, sideways: false });
  }
  expect(window.complaints).toEqual([]);
  await window.close();
});

test('nothing was complained of in the browser', () => {
  expect(opened.complaints).toEqual([]);
});
