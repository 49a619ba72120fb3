import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import type { Person } from '../support/session.ts';
import type { System } from '../support/system.ts';

/** Git ignores it; CI keeps it. */
const screenshots = join(process.cwd(), '.dctl', 'screenshots');

export const narrow: BrowserContextOptions = { viewport: { width: 380, height: 800 } };
export const dark: BrowserContextOptions = { colorScheme: 'dark' };

/** A page of the console, and what its browser complained of. */
export interface OpenPage {
  page: Page;
  /** Uncaught errors, what the page's policy refused, and requests to any other address. Empty when all is well. */
  complaints: string[];
  /** Goes to an address below /console, and waits until the page's heading is there. */
  go(path: string): Promise<void>;
  /** Writes <name>.png; the whole page, not only what fits in the window. */
  screenshot(name: string): Promise<void>;
  close(): Promise<void>;
}

export function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['DCTL_TEST_CHROMIUM'] ?? '/usr/bin/chromium',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}

/** A window of its own, with nobody signed in. */
export async function openPage(
  browser: Browser,
  { url }: Pick<System, 'url'>,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    colorScheme: 'light',
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // What the server refused is on the page, in its own words.
    const isRefusal = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isRefusal) complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !/^(blob|data):/.test(request.url()))
      complaints.push(`asked another server: ${request.url()}`);
  });
  return {
    page,
    complaints,
    async go(path) {
      await page.goto(`${url}/console${path}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
    },
    async screenshot(name) {
      await mkdir(screenshots, { recursive: true });
      await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
    },
    close: () => context.close(),
  };
}

/** A window in which somebody has signed in through the form. */
export async function openConsole(
  browser: Browser,
  system: Pick<System, 'url'>,
  { email, password }: Pick<Person, 'email' | 'password'>,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const opened = await openPage(browser, system, options);
  await opened.go('/sign-in');
  await opened.page.getByLabel('E-mail').fill(email);
  await opened.page.getByLabel('Password').fill(password);
  await opened.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await opened.page.getByRole('navigation', { name: 'Main' }).waitFor();
  return opened;
}

/** What axe finds that keeps somebody from using the page: each rule with the elements it is about. */
export async function seriousIssues(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`);
}

/** Whether something is wider than the window, so that the page moves sideways. */
export async function movesSideways(page: Page): Promise<boolean> {
  return page.evaluate<boolean>(
    'document.documentElement.scrollWidth > document.documentElement.clientWidth',
  );
}
