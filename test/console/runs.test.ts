import { availableParallelism, loadavg } from 'node:os';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { fillWithRuns } from '../../bench/many-runs.ts';
import { createJob, deployProject, ended, trigger, type DeployedProject } from '../support/project.ts';
import { addPerson, type Person } from '../support/session.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import {
  dark,
  movesSideways,
  narrow,
  openConsole,
  paintedShares,
  seriousIssues,
  settled,
  startChromium,
  type OpenPage,
} from './browser.ts';
import { framesDuring, turnWheel } from './frames.ts';
import { hostile, insertLargeRun } from './past.ts';

/** On a machine that has more to do than it can, frames wait for their turn as everything does. */
const frameLimitMs = () => 100 * Math.max(1, loadavg()[0]! / availableParallelism());
const parts = ['', '/nodes', '/timeline', '/lineage', '/artifacts', '/webhooks'];

let system: System;
let project: DeployedProject;
let browser: Browser;
let operator: Person;
let viewer: Person;
let failedRun: string;

beforeAll(async () => {
  [system, browser] = await Promise.all([startSystem({ workers: 0 }), startChromium()]);
  project = await deployProject(system, { name: `shop ${hostile}` });
  [operator, viewer] = await Promise.all([addPerson(system, 'operator'), addPerson(system, 'viewer')]);
});
afterAll(async () => {
  await browser.close();
  await system.stop();
});

async function withConsole(
  person: Person,
  work: (opened: OpenPage) => Promise<void>,
  options: Parameters<typeof openConsole>[3] = {},
): Promise<void> {
  const opened = await openConsole(browser, system, person, options);
  try {
    await work(opened);
    expect(opened.complaints).toEqual([]);
  } catch (error) {
    await opened.screenshot(`failed-${expect.getState().currentTestName?.slice(0, 40).replace(/\W+/g, '-')}`);
    throw error;
  } finally {
    await opened.close();
  }
}

test('a run is watched from its list to its end without a reload, and run again and cancelled from its page', async () => {
  const command = `dbt build --vars '{slow_seconds: 6}'`;
  const runId = await trigger(system, project, { command_override: command, cause: 'to be watched' });
  await withConsole(operator, async ({ page, go, screenshot }) => {
    await go('/runs');
    const row = page.getByRole('row').filter({ hasText: 'to be watched' });
    await row.getByText('queued').waitFor();
    await row.getByRole('link').click();
    await page.waitForURL(`**/runs/${runId}`);
    await page.getByRole('status').filter({ hasText: 'queued' }).first().waitFor();

    await system.startWorker();
    await page.getByRole('status').filter({ hasText: 'running' }).first().waitFor();
    const bar = page.getByRole('progressbar', { name: 'Nodes done' });
    await bar.waitFor();
    const log = page.getByRole('region', { name: 'Log lines' });
    await log.getByText('START').first().waitFor();
    await screenshot('run-live');
    await page
      .getByRole('status')
      .filter({ hasText: /^\W*success$/ })
      .waitFor({ timeout: 60_000 });
    expect(await bar.getAttribute('aria-valuenow')).toBe(await bar.getAttribute('aria-valuemax'));
    await log.getByText('Completed successfully').waitFor();
    await screenshot('run-success');

    await page.getByRole('button', { name: 'Run again' }).click();
    await page.waitForURL((url) => url.pathname.includes('/runs/') && !url.pathname.endsWith(runId));
    await page.getByText('rerun: to be watched').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('status').filter({ hasText: 'cancelled' }).waitFor({ timeout: 60_000 });
    const retry = page.getByRole('button', { name: 'Retry from failure' });
    expect(await retry.getAttribute('class')).not.toBe('primary');
  });
});

test('a run that selected nothing says so, and where its code and its environment are', async () => {
  const runId = await trigger(system, project, {
    command_override: 'dbt build --select nothing_of_the_kind',
  });
  await ended(system, runId);
  const path = `/api/v1/projects/${project.projectId}`;
  const { digest } = (await system.call('GET', `${path}/deployments`)).body.data[0];
  const environment = (await system.call('GET', `${path}/environments/${project.environmentId}`)).body;
  await withConsole(viewer, async ({ page, go }) => {
    await go(`/runs/${runId}`);
    await page.getByText('No nodes were selected').waitFor();
    await page.getByRole('option', { name: /^Warnings and errors \([1-9]/ }).waitFor({ state: 'attached' });
    const deployment = page.getByRole('link', { name: digest.replace('sha256:', '').slice(0, 12) });
    expect(await deployment.getAttribute('href')).toBe(`/console/projects/${project.projectId}`);
    await page.getByRole('link', { name: environment.name, exact: true }).click();
    await page.getByRole('heading', { level: 1, name: environment.name }).waitFor();
  });
});

test('a failed node shows its message, its SQL and its lines of the log, which have addresses', async () => {
  const command = `dbt build --vars '{fail_model: true}'`;
  failedRun = await trigger(system, project, { command_override: command, cause: 'to fail' });
  await ended(system, failedRun);
  await withConsole(operator, async ({ page, go, screenshot }) => {
    await go(`/runs/${failedRun}`);
    const failures = page.getByRole('region', { name: 'Failed nodes' });
    await failures.getByText('the_variable_fail_model_is_set').first().waitFor();
    await failures.getByText('Compiled SQL').first().click();
    await failures
      .getByRole('region', { name: /compiled\/.*stg_payments\.sql/ })
      .filter({ hasText: 'where the_variable_fail_model_is_set' })
      .waitFor();
    const line = failures.getByRole('link', { name: /^Line \d+ in the log$/ }).first();
    await line.waitFor();
    await screenshot('run-failed');
    await line.click();
    await page.waitForURL(/#L\d+$/);
    await page.locator('.log-marked').waitFor();
    const address = page.url();

    // Whoever is sent the address sees that line.
    await page.goto('about:blank');
    await page.goto(address);
    await page.locator('.log-marked').filter({ hasText: 'stg_payments' }).waitFor();
    expect(await page.locator('.log-marked').isVisible()).toBe(true);

    await page.getByRole('button', { name: 'First error' }).click();
    await page.locator('.log-marked.log-error').waitFor();
    await page.getByLabel('Log level').selectOption('error');
    await until(
      'only errors are shown',
      () => page.locator('.log-lines .log-line:not(.log-error)').count(),
      (count) => count === 0,
    );
    await page.getByLabel('Search the log').fill('stg_payments');
    await page.locator('.log-lines mark').first().waitFor();

    for (const part of parts.slice(1)) {
      await go(`/runs/${failedRun}${part}`);
      await screenshot(`run-failed${part.replace('/', '-')}`);
    }
    await go(`/runs/${failedRun}/nodes`);
    await page.getByRole('row').nth(1).getByRole('link', { name: 'stg_payments' }).waitFor();
    await page.getByRole('button', { name: 'Status', exact: true }).click();
    await page.getByRole('row').nth(1).getByRole('link', { name: 'stg_payments' }).click();
    await page.getByRole('dialog', { name: 'stg_payments' }).getByText('Runtime Error').first().waitFor();
    await screenshot('run-node');

    await go(`/runs/${failedRun}`);
    await page.getByRole('button', { name: 'Retry from failure' }).click();
    const chain = page.getByRole('navigation', { name: 'Cause chain' });
    await chain.getByText('was retried by').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('status').filter({ hasText: 'cancelled' }).waitFor({ timeout: 60_000 });
  });
});

test('a viewer sees the run and none of the buttons', async () => {
  await withConsole(viewer, async ({ page, go }) => {
    await go(`/runs/${failedRun}`);
    await page.getByRole('region', { name: 'Failed nodes' }).waitFor();
    for (const name of ['Cancel', 'Run again', 'Retry from failure'])
      expect(await page.getByRole('button', { name }).count()).toBe(0);
  });
});

test('what is looked for stands in the address', async () => {
  await withConsole(viewer, async ({ page, go }) => {
    await go('/runs');
    await page.getByRole('button', { name: 'success', exact: true }).click();
    await page.waitForURL(/\?status=success$/);
    await until(
      'only success is shown',
      () => page.getByRole('row').filter({ hasText: 'to fail' }).count(),
      (count) => count === 0,
    );
    await page.getByLabel('Created').selectOption('24h');
    await page.waitForURL(/since=24h/);
    await page.reload();
    await page.getByRole('row').filter({ hasText: 'to be watched' }).first().waitFor();
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByRole('row').filter({ hasText: 'to fail' }).first().waitFor();
  });
});

test('names, causes, messages and logs that hold markup stay text', async () => {
  const jobId = await createJob(system, project.projectId, { name: `job ${hostile}` });
  const { id } = await insertLargeRun(system, { ...project, jobId }, { logLines: 200 });
  await withConsole(viewer, async ({ page, go, screenshot }) => {
    const isHarmless = async () => {
      expect(await page.locator('img, script:not([src])').count()).toBe(0);
      expect(await page.title()).not.toBe('hostile');
    };
    await go('/runs');
    await page.getByRole('row').getByText(hostile).first().waitFor();
    await screenshot('runs-hostile');
    await isHarmless();
    for (const part of parts) {
      await go(`/runs/${id}${part}`);
      await page.getByText(hostile).first().waitFor();
      await isHarmless();
    }
    await go(`/runs/${id}?node=model.large.layer_1_model_0`);
    await page.getByRole('dialog').getByText('Compiled SQL').click();
    await page.getByRole('dialog').getByText(`select '${hostile}'`).waitFor();
    await isHarmless();
    await go(`/runs/${id}?search=${encodeURIComponent(hostile)}`);
    await page.locator('.log-lines mark').first().waitFor();
    await isHarmless();
  });
});

test.each([
  ['light', {}],
  ['phone', { ...dark, ...narrow }],
])('axe finds nothing serious, and nothing is too wide: %s', async (name, options) => {
  await withConsole(
    operator,
    async ({ page, go, screenshot }) => {
      for (const path of ['/runs', ...parts.map((part) => `/runs/${failedRun}${part}`)]) {
        await go(path);
        await screenshot(`${name}${path.replace(failedRun, 'failed').replaceAll('/', '-')}`);
        expect({ path, issues: await seriousIssues(page) }).toEqual({ path, issues: [] });
        expect({ path, isTooWide: await movesSideways(page) }).toEqual({ path, isTooWide: false });
      }
    },
    options,
  );
});

test('5,000 runs, and a run of 1,000 nodes with a long log, scroll without a frame over 100 ms', async () => {
  await fillWithRuns(system.pool, 5_000);
  const { id } = await insertLargeRun(system, project, { logLines: 20_000 });
  await withConsole(viewer, async ({ page, go, screenshot }) => {
    const rough: string[] = [];
    // What else the machine is busy with costs frames as well: the best of three counts.
    const measure = async (what: string, work: () => Promise<void>, before?: () => Promise<void>) => {
      for (let time = 1; ; time += 1) {
        await before?.();
        const { count, longestMs } = await framesDuring(page, work);
        const limitMs = Math.round(frameLimitMs());
        process.stdout.write(
          `${what}: the longest of ${count} frames took ${longestMs} ms (limit ${limitMs})\n`,
        );
        if (longestMs <= limitMs) return;
        if (time === 3) return void rough.push(what);
      }
    };
    const rowsKnown = async () => Number(await page.getByRole('table').getAttribute('aria-rowcount'));
    const downThroughAll = async () => {
      await turnWheel(page, { times: 800, by: 1_200 }, async () => (await rowsKnown()) < 5_000);
      expect(await rowsKnown()).toBeGreaterThan(5_000);
    };
    await measure('scrolling through 5,000 runs', downThroughAll, async () => {
      await go('/runs');
      await page.getByRole('row').nth(10).waitFor();
      await page.mouse.move(640, 500);
    });
    await measure(
      'scrolling back',
      () => turnWheel(page, { times: 100, by: -3_000 }),
      () => turnWheel(page, { times: 20, by: 15_000 }),
    );

    await go(`/runs/${id}/nodes`);
    await page.getByRole('row').nth(5).waitFor();
    const upToTheTop = async () => {
      await page.mouse.move(640, 700);
      await turnWheel(page, { times: 10, by: -50_000 });
    };
    await measure('scrolling through 1,000 nodes', () => turnWheel(page, { times: 60, by: 700 }), upToTheTop);

    await go(`/runs/${id}`);
    const log = page.getByRole('region', { name: 'Log lines' });
    await page.getByText('20000 lines').or(page.getByText('20001 lines')).first().waitFor();
    await measure(
      'scrolling through 20,000 lines',
      () => turnWheel(page, { times: 120, by: 3_500 }),
      async () => {
        await log.hover();
        await turnWheel(page, { times: 10, by: -100_000 });
      },
    );

    await go(`/runs/${id}/timeline`);
    const timeline = page.getByRole('img', { name: /^Timeline of 1000 nodes/ });
    await timeline.focus();
    const fit = () => page.keyboard.press('0');
    const alongTime = async () => {
      for (let turn = 0; turn < 40; turn += 1) await page.keyboard.press(turn < 15 ? '+' : 'ArrowRight');
    };
    await measure('moving along the timeline', alongTime, fit);
    await screenshot('large-timeline');

    await go(`/runs/${id}/lineage`);
    const graph = page.getByRole('img', { name: /^Lineage of 1000 nodes/ });
    // All of it, in a picture that is not a thin line of dots.
    expect((await paintedShares(page))[0]).toBeGreaterThan(0.1);
    await screenshot('large-lineage-all');
    await graph.focus();
    const overTheGraph = async () => {
      for (let turn = 0; turn < 60; turn += 1) {
        await page.keyboard.press(turn % 20 < 8 ? '+' : turn % 2 === 0 ? 'ArrowDown' : 'ArrowLeft');
      }
    };
    await measure('moving over the graph', overTheGraph, fit);
    await screenshot('large-lineage');
    // However far it is dragged, something of it stays in view.
    await graph.scrollIntoViewIfNeeded();
    const { x, y, width, height } = (await graph.boundingBox())!;
    for (const [right, down] of [
      [20_000, 20_000],
      [-40_000, 0],
      [0, -40_000],
      [40_000, 0],
    ] as const) {
      await page.mouse.move(x + width / 2, y + height / 2);
      await page.mouse.down();
      await page.mouse.move(x + width / 2 + right, y + height / 2 + down, { steps: 4 });
      await page.mouse.up();
      await settled(page);
      expect((await paintedShares(page))[0]).toBeGreaterThan(0.001);
    }
    await page.getByLabel('Search nodes').fill('layer_3_model_17');
    await page.getByRole('button', { name: 'layer_3_model_17 succeeded', exact: true }).click();
    await page.getByRole('group', { name: 'layer_3_model_17' }).getByText('Depends on').waitFor();
    expect(rough).toEqual([]);
  });
});
