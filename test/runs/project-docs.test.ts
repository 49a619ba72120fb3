import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startChromium } from '../console/browser.ts';
import { asAnotherOrganization } from '../support/organization.ts';
import { createJob, deployProject, ended, trigger, type DeployedProject } from '../support/project.ts';
import { addPerson, signIn, type Browser } from '../support/session.ts';
import { startSystem, type System } from '../support/system.ts';

/** What a project may write into what its page is made of. */
const hostile = `</script><script>document.title = 'taken over'</script>`;

let system: System;
let project: DeployedProject;
let folder: string;
let browser: Browser;
let runId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dctl-docs-'));
  await cp('examples/jaffle_shop', folder, { recursive: true });
  await writeFile(join(folder, 'models', 'hostile.md'), `{% docs hostile %}${hostile} größer{% enddocs %}\n`);
  system = await startSystem();
  project = await deployProject(system, { folder });
  browser = await signIn(system, await addPerson(system, 'viewer'));
  const jobId = await createJob(system, project.projectId, { command: 'dbt docs generate' });
  runId = await trigger(system, { ...project, jobId });
  expect(await ended(system, runId)).toMatchObject({ status: 'success' });
}, 120_000);
afterAll(async () => {
  await system.stop();
  await rm(folder, { recursive: true, force: true });
});

const path = () => `/api/v1/organizations/${system.organizationId}/projects/${project.projectId}/docs`;

describe("a project's documentation", () => {
  test('is one page that holds manifest and catalog, for whoever is signed in, of the last run that left any', async () => {
    const later = await trigger(system, project);
    expect((await ended(system, later)).status).toBe('success');
    const page = await browser.call('GET', path());
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.text).not.toContain('INLINE DATA');
    expect(page.text).toContain('"model.jaffle_shop.customers"');
    expect(page.text).toContain(String.raw`gr\u00f6\u00dfer`);
    expect(page.text).not.toContain(hostile);
    expect((await browser.call('GET', `${path()}?run_id=${runId}`)).text).toBe(page.text);
    expect((await browser.call('GET', `${path()}?run_id=${later}`)).status).toBe(404);
  });

  test('runs in no origin, and may ask nobody', async () => {
    const policy = (await browser.call('GET', path())).headers.get('content-security-policy') ?? '';
    expect(policy.split('; ')).toContain('sandbox allow-scripts');
    expect(policy.split('; ')).toContain("default-src 'none'");
    expect(policy).not.toContain('allow-same-origin');
    expect(policy).not.toMatch(/connect-src/);
  });

  test('is shown by a browser, and what a project writes into it stays text', async () => {
    const chromium = await startChromium();
    try {
      const context = await chromium.newContext();
      const [name = '', value = ''] = browser.cookie.split('=');
      await context.addCookies([{ name, value, url: system.url, httpOnly: true, sameSite: 'Lax' }]);
      const page = await context.newPage();
      // The page asks for pictures of its templates, which the browser does not send.
      const answered: string[] = [];
      page.on('response', (response) => answered.push(response.url()));
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(String(error)));
      await page.goto(`${system.url}${path()}#!/model/model.jaffle_shop.customers`);
      await page
        .getByRole('heading', { name: /customers/ })
        .first()
        .waitFor();
      expect(await page.title()).toBe('dbt Docs');
      expect(await page.evaluate('self.origin')).toBe('null');
      expect(errors).toEqual([]);
      expect(answered.filter((url) => /^https?:/.test(url)).map((url) => new URL(url).pathname)).toEqual([
        path(),
      ]);
    } finally {
      await chromium.close();
    }
  });

  test('is not there for another organization, nor for whoever does not sign in', async () => {
    const stranger = await asAnotherOrganization(system);
    const none = `/api/v1/organizations/${system.organizationId}/projects/none/docs`;
    const [foreign, missing] = [await stranger.call('GET', path()), await stranger.call('GET', none)];
    expect(foreign.status).toBe(404);
    expect(foreign.text).toBe(missing.text);
    expect((await fetch(system.url + path())).status).toBe(401);
  });
});
