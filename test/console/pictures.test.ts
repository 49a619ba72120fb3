import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { withToken } from '../support/organization.ts';
import {
  createJob,
  deployProject,
  ended,
  expectStatus,
  trigger,
  type DeployedProject,
} from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { openConsole, settled, startChromium, type OpenPage } from './browser.ts';
import { insertPastRuns, type PastRun } from './past.ts';

let system: System;
let browser: Browser;
let project: DeployedProject;
let nightly: string;
let hourly: string;
let finance: string;
/** The same system as Airflow's token sees it. */
let airflow: System;
/** Of the window, in pixels: what a laptop shows. */
const height = 860;

let opened: OpenPage;

beforeAll(async () => {
  [system, browser] = await Promise.all([startSystem(), startChromium()]);
  project = await deployProject(system, { name: 'jaffle_shop' });
  const path = `/api/v1/organizations/${system.organizationId}`;
  await expectStatus(200, system.call('PATCH', path, { name: 'Jaffle Inc' }));
  const token = { name: 'airflow', scope: 'trigger' };
  const made = await expectStatus(201, system.call('POST', '/api/v1/tokens', token));
  airflow = withToken(system, made.body.token);
  const schedule = { cron: '0 2 * * *', timezone: 'Europe/Berlin', missed: 'run_once' };
  nightly = await createJob(system, project.projectId, {
    name: 'nightly build',
    command: 'dbt build',
    schedule,
  });
  hourly = await createJob(system, project.projectId, {
    name: 'hourly orders',
    command: 'dbt build --select stg_orders+',
  });
  finance = await createJob(system, project.projectId, {
    name: 'finance marts',
    command: 'dbt build --select tag:finance',
  });
  await insertPastRuns(system, project, past());

  const ada = { email: 'ada@jaffle.example', role: 'admin', password: 'a password of some length' };
  await expectStatus(201, system.call('POST', '/api/v1/users', ada));
  opened = await openConsole(browser, system, ada, { viewport: { width: 1280, height } });
});
afterAll(async () => {
  await browser?.close();
  await system?.stop();
});

/** Some weeks of a shop: each night a build, each hour a load, and now and then somebody who wants to know. */
function past(): PastRun[] {
  const nights = Array.from({ length: 24 }, (_, night): PastRun => ({
    jobId: nightly,
    name: `nightly-build-schedule-${night}`,
    command: 'dbt build',
    status: night === 9 ? 'failed' : night === 4 || night === 16 ? 'partial' : 'success',
    triggeredBy: 'schedule',
    by: null,
    cause: null,
    minutesAgo: 170 + night * 1_440,
    seconds: 11.1 + ((night * 7) % 5) * 0.6,
  }));
  const hours = Array.from({ length: 8 }, (_, hour): PastRun => ({
    jobId: hourly,
    name: `hourly-orders-manual-${hour}`,
    command: 'dbt build --select stg_orders+',
    status: hour === 1 ? 'partial' : 'success',
    triggeredBy: 'manual',
    by: 'airflow',
    cause: 'hourly load is done',
    minutesAgo: 62 + hour * 60,
    seconds: hour === 2 ? 14.2 : 6.2 + ((hour * 3) % 4) * 0.2,
  }));
  const asked: PastRun = {
    jobId: finance,
    name: 'finance-marts-manual',
    command: 'dbt build --select tag:finance',
    status: 'failed',
    triggeredBy: 'manual',
    by: 'ada@jaffle.example',
    cause: 'refunds were corrected',
    minutesAgo: 34,
    seconds: 8.4,
  };
  const again: PastRun = {
    ...asked,
    name: 'finance-marts-again',
    status: 'success',
    minutesAgo: 21,
    seconds: 9.1,
  };
  return [...nights, ...hours, asked, again];
}

test('what failed, why, and when is seen without scrolling, and so is how all runs are', async () => {
  const { page, go } = opened;
  const failed = await trigger(
    airflow,
    { ...project, jobId: nightly },
    {
      cause: 'hourly load is done',
      command_override: `dbt build --vars '{fail_model: true}'`,
      metadata: { dag_run: 'load_orders__2026_11_23T02' },
    },
  );
  await ended(system, failed);
  await go(`/runs/${failed}/timeline`);
  const failures = page.getByRole('region', { name: 'Failed nodes' });
  await failures.getByText('Log lines').first().click();
  await settled(page);
  for (const seen of [
    failures.getByText('Binder Error').first(),
    failures.getByText('Compiled SQL').first(),
    page.getByRole('img', { name: /^Timeline/ }),
  ]) {
    const box = await seen.boundingBox();
    expect(box!.y + box!.height).toBeLessThanOrEqual(height);
  }
  await opened.screenshot('readme-run', false);

  const running = await trigger(
    airflow,
    { ...project, jobId: hourly },
    {
      cause: 'hourly load is done',
      command_override: `dbt build --vars '{slow_seconds: 60}'`,
    },
  );
  await go('/runs');
  const row = page.getByRole('row').filter({ hasText: 'running' });
  await row.waitFor();
  await until(
    'some nodes are done',
    async () => (await row.textContent()) ?? '',
    (text) => /[12]\d of 2\d/.test(text),
  );
  await opened.screenshot('readme-runs', false);
  for (const status of ['running', 'partial', 'success'])
    expect(await page.getByRole('row').filter({ hasText: status }).first().isVisible()).toBe(true);

  await go(`/jobs/${project.projectId}/${nightly}`);
  await page.getByText('Trends: last').waitFor();
  await opened.screenshot('readme-job', false);
  await expectStatus(200, system.call('POST', `/api/v1/runs/${running}/cancel`));
  await ended(system, running);
  expect(opened.complaints).toEqual([]);
});
