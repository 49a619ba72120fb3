import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { clientId, clientSecret, startOpenIdProvider, type OpenIdProvider } from '../support/open-id.ts';
import { deployProject, expectStatus } from '../support/project.ts';
import { addPerson, type Person } from '../support/session.ts';
import { startSystem, type System } from '../support/system.ts';
import {
  dark,
  movesSideways,
  narrow,
  openPage,
  seriousIssues,
  startChromium,
  type OpenPage,
} from './browser.ts';

/** Where people are told to find it. Their browser is told where that is. */
const publicUrl = 'http://dctl.example.test';
const mostBytesAtFirst = 200_000;

let provider: OpenIdProvider;
let system: System;
let browser: Browser;
/** The system as it is found by its public address. */
const found = { url: publicUrl };

beforeAll(async () => {
  provider = await startOpenIdProvider(`${publicUrl}/api/v1/session/open-id/callback`);
  system = await startSystem({
    workers: 0,
    environment: {
      DCTL_PUBLIC_URL: publicUrl,
      DCTL_OIDC_ISSUER: provider.issuer,
      DCTL_OIDC_CLIENT_ID: clientId,
      DCTL_OIDC_CLIENT_SECRET: clientSecret,
      DCTL_OIDC_ALLOWED_DOMAINS: 'example.com',
      DCTL_OIDC_ROLE: 'operator',
    },
  });
  browser = await startChromium([`--host-resolver-rules=MAP dctl.example.test ${new URL(system.url).host}`]);
  await deployProject(system, { name: 'jaffle shop' });
});
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  await provider?.close();
});

async function openSignedIn({ email, password }: Person): Promise<OpenPage> {
  const opened = await openPage(browser, found);
  await opened.go('/sign-in');
  await opened.page.getByLabel('E-mail').fill(email);
  await opened.page.getByLabel('Password').fill(password);
  await opened.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await opened.page.getByRole('navigation', { name: 'Main' }).waitFor();
  return opened;
}

test('whoever opens a page signs in first, with a wrong password is told so, and comes to that page', async () => {
  const person = await addPerson(system, 'viewer');
  const { page, go, complaints, screenshot, close } = await openPage(browser, found);
  await go('/jobs?q=shop');
  await page.waitForURL(/\/console\/sign-in$/);
  await screenshot('sign-in');
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Password').fill('not it, whatever it is');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('alert').waitFor();
  await page.getByLabel('Password').fill(person.password);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/console\/jobs\?q=shop$/);
  await page.getByRole('link', { name: 'jaffle shop' }).waitFor();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('E-mail').waitFor();
  await page.goBack();
  await page.getByLabel('E-mail').waitFor();
  expect(complaints).toEqual([]);
  await close();
});

test('somebody signs in with the OpenID provider, and comes to the page they wanted', async () => {
  provider.people.set('ada', { email: 'ada@example.com', email_verified: true });
  const { page, go, close } = await openPage(browser, found);
  // The provider's own page wants fonts from elsewhere.
  await page.route('https://**', (route) => route.abort());
  await go('/projects');
  await page.getByRole('link', { name: /^Sign in with / }).click();
  await page.locator('input[name=login]').fill('ada');
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('link', { name: 'ada@example.com' }).waitFor();
  expect(page.url()).toBe(`${publicUrl}/console/projects`);
  await close();
});

test('an invitation makes whoever has its link a member, once', async () => {
  const invited = { email: 'grace@example.com', role: 'operator' };
  const { url } = (await expectStatus(201, system.call('POST', '/api/v1/invitations', invited))).body;
  const path = url.slice(`${publicUrl}/console`.length);
  const { page, go, complaints, screenshot, close } = await openPage(browser, found);
  await go(path);
  await page.getByText('You have been invited to join default as operator.').waitFor();
  // The link's secret is not left in the address.
  expect(page.url()).toBe(`${publicUrl}/console/invitation`);
  await screenshot('invitation');
  expect(await seriousIssues(page)).toEqual([]);
  await page.getByLabel('Choose a password').fill('a password of some length');
  await page.getByRole('button', { name: 'Accept invitation' }).click();
  await page.getByRole('link', { name: 'grace@example.com' }).waitFor();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('E-mail').waitFor();
  await go(path);
  await page.getByRole('alert').waitFor();
  expect(complaints).toEqual([]);
  await close();
});

test('whoever is in several organizations sees one at a time, and chooses which', async () => {
  const person = await addPerson(system, 'viewer');
  const opened = await openSignedIn(person);
  const { page, go } = opened;
  await go('/projects');
  await page.getByRole('link', { name: 'jaffle shop' }).waitFor();
  expect(await page.getByLabel('Organization').count()).toBe(0);

  const another = `org-${randomUUID()}`;
  await system.pool.query(`INSERT INTO organizations (id, name) VALUES ($1, 'another')`, [another]);
  await system.pool.query(
    `INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, 'admin')`,
    [another, person.id],
  );
  await go('/projects');
  await page.getByLabel('Organization').selectOption('another');
  await page.getByText('No runs yet.').waitFor();
  await go('/projects');
  await page.getByText('No projects yet.').waitFor();
  await page.getByRole('button', { name: 'New project' }).waitFor();
  await page.getByLabel('Organization').selectOption('default');
  await go('/projects');
  await page.getByRole('link', { name: 'jaffle shop' }).waitFor();
  expect(await page.getByRole('button', { name: 'New project' }).count()).toBe(0);
  expect(opened.complaints).toEqual([]);
  await opened.close();
});

test('the sign-in page is fit for everybody, in the light and in the dark on a phone', async () => {
  for (const options of [{}, { ...dark, ...narrow }]) {
    const { page, go, close } = await openPage(browser, found, options);
    await go('/sign-in');
    expect(await seriousIssues(page)).toEqual([]);
    expect(await movesSideways(page)).toBe(false);
    await close();
  }
});

test('the first page comes with at most 200 kB', async () => {
  const person = await addPerson(system, 'viewer');
  const signedIn = await openSignedIn(person);
  const state = await signedIn.page.context().storageState();
  await signedIn.close();
  // With the session, and nothing else kept: as on somebody's first visit of the day.
  const { page, go, close } = await openPage(browser, found, { storageState: state });
  const sizes: Promise<{ path: string; bytes: number }>[] = [];
  page.on('requestfinished', (request) => {
    const path = new URL(request.url()).pathname;
    sizes.push(
      request.sizes().then(({ responseBodySize, responseHeadersSize }) => ({
        path,
        bytes: responseBodySize + responseHeadersSize,
      })),
    );
  });
  await go('/runs');
  const loaded = await Promise.all(sizes);
  const bytes = loaded.reduce((sum, each) => sum + each.bytes, 0);
  process.stdout.write(`the first page: ${Math.round(bytes / 1_000)} kB in ${loaded.length} answers\n`);
  expect(loaded.some(({ path }) => path.endsWith('.js'))).toBe(true);
  expect(bytes).toBeGreaterThan(20_000);
  expect(bytes).toBeLessThan(mostBytesAtFirst);
  await close();
});

test('a page that was left open while the server was upgraded finds its files again', async () => {
  const { page, complaints, close } = await openSignedIn(await addPerson(system, 'viewer'));
  // Of the build that the page came with, the one file that is asked for next is gone.
  await page.route('**/console/assets/jobs-*.js', (route) => route.fulfill({ status: 404 }), { times: 1 });
  const loadedAnew = page.waitForEvent('load');
  await page.getByRole('link', { name: 'Jobs', exact: true }).click();
  await loadedAnew;
  await page.getByRole('link', { name: 'Jobs', exact: true }).click();
  await page.getByRole('link', { name: 'jaffle shop' }).waitFor();
  expect(complaints.filter((each) => !each.includes('/console/assets/jobs-'))).toEqual([]);
  await close();
});
