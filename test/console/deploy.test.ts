import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { newPerson, type Person as AtTerminal } from '../cli/dctl.ts';
import { ended } from '../support/project.ts';
import { addPerson } from '../support/session.ts';
import { startSystem, type System } from '../support/system.ts';
import { openConsole, startChromium } from './browser.ts';

let system: System;
let browser: Browser;
let terminal: AtTerminal;
let folder: string;

beforeAll(async () => {
  [system, browser, folder] = await Promise.all([
    startSystem(),
    startChromium(),
    mkdtemp(join(tmpdir(), 'dctl-console-')),
  ]);
  terminal = await newPerson(system);
  await cp('examples/jaffle_shop', folder, { recursive: true });
});
afterAll(async () => {
  await Promise.all([
    browser?.close(),
    terminal?.leave(),
    rm(folder, { recursive: true, force: true }),
    system?.stop(),
  ]);
});

async function dctl(...args: string[]): Promise<any> {
  const { exitCode, stderr, json } = await terminal.dctl([...args, '--json'], { folder });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return json;
}

test('what was deployed from the command line is rolled back in the console, and the next run uses the version before', async () => {
  await dctl('init');
  const first = await dctl('deploy');
  const hello = `{% macro hello() %}{% do log('This is the second version.', info=true) %}{% endmacro %}`;
  await writeFile(join(folder, 'macros', 'hello.sql'), hello);
  const second = await dctl('deploy');

  const admin = await addPerson(system, 'admin');
  const { page, go, complaints } = await openConsole(browser, system, admin);
  await go('/projects');
  await page
    .getByRole('row', { name: /jaffle_shop/ })
    .getByRole('link')
    .first()
    .click();
  const shownAs = ({ digest }: { digest: string }) =>
    page.getByRole('article', { name: `Deployment ${digest.replace('sha256:', '').slice(0, 12)}` });
  await shownAs(second).getByText('active').waitFor();
  expect(await shownAs(first).getByText('active').count()).toBe(0);
  await shownAs(first)
    .getByRole('button', { name: /^Roll back/ })
    .click();
  await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
  await shownAs(first).getByText('active').waitFor();
  await shownAs(second)
    .getByRole('button', { name: /^Activate/ })
    .waitFor();

  await page.getByRole('link', { name: 'scheduled-run' }).click();
  await page.getByRole('button', { name: 'Run now' }).click();
  await page.getByRole('dialog').getByLabel('Command').fill('dbt run-operation hello');
  await page.getByRole('dialog').getByRole('button', { name: 'Run' }).click();
  await page.waitForURL(/\/console\/runs\//);
  const log = page.getByRole('region', { name: 'Log lines' });
  await log.getByText('Hello, world! This is target').waitFor({ timeout: 60_000 });
  expect(await log.getByText('This is the second version.').count()).toBe(0);
  const run = await ended(system, page.url().split('/').at(-1)!);
  expect(run).toMatchObject({ status: 'success', deployment_id: first.id, requested_by: admin.email });
  expect(complaints).toEqual([]);
});
