import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium, type Browser, type BrowserContextOptions, type Page, type Request } from 'playwright-core';
import { ensureChromium } from '../support/chromium.ts';
import { signIn, type Person } from '../support/session.ts';
import type { System } from '../support/system.ts';
import { until } from '../support/until.ts';

/** Git ignores it; CI keeps it. */
const screenshots = join(process.cwd(), '.dctl', 'screenshots');

export const narrow: BrowserContextOptions = { viewport: { width: 380, height: 800 } };
export const dark: BrowserContextOptions = { colorScheme: 'dark' };

/** A page of the console, and what its browser complained of. */
export interface OpenPage {
  page: Page;
  /** Uncaught errors, what the page's policy refused, and requests to any other address. Empty when all is well. */
  complaints: string[];
  /** Goes to an address below /console, and waits until all of the page is there. */
  go(path: string): Promise<void>;
  /** Writes <name>.png: the whole page, or only what fits in the window. */
  screenshot(name: string, isWhole?: boolean): Promise<void>;
  close(): Promise<void>;
}

export async function startChromium(options: string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: ensureChromium(),
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), ...options],
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
  page.setDefaultTimeout(30_000);
  watchRequests(page);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // What the server refused is on the page, in its own words.
    const isRefusal = message.text().startsWith('Failed to load resource');
    // That header counts over https alone.
    const isOfPlainHttp = message.text().startsWith('The Cross-Origin-Opener-Policy header has been ignored');
    const isOfRouter = message.text().includes('HydrateFallback');
    if (isOfRouter || (message.type() === 'error' && !isRefusal && !isOfPlainHttp))
      complaints.push(message.text());
  });
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
       console.error('refused by ' + violatedDirective + ': ' + blockedURI))`,
  );
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
      await settled(page);
    },
    async screenshot(name, isWhole = true) {
      await mkdir(screenshots, { recursive: true });
      await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: isWhole });
    },
    close: () => context.close(),
  };
}

/** A window in which somebody is signed in. */
export async function openConsole(
  browser: Browser,
  system: System,
  person: Pick<Person, 'email' | 'password'>,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const { cookie } = await signIn(system, person);
  const opened = await openPage(browser, system, options);
  const [name = '', value = ''] = cookie.split('=');
  await opened.page.context().addCookies([{ name, value, url: system.url }]);
  return opened;
}

/** What a page has asked for and not been answered yet, and when that changed last. */
const asked = new WeakMap<Page, { pending: Set<Request>; changedAt: number }>();

function watchRequests(page: Page): void {
  const its = { pending: new Set<Request>(), changedAt: performance.now() };
  asked.set(page, its);
  // A log that is followed has no end for as long as its run has none.
  const isLog = (request: Request) => /\/logs(\?|$)/.test(request.url());
  page.on('request', (request) => {
    if (!isLog(request)) its.pending.add(request);
    its.changedAt = performance.now();
  });
  const done = (request: Request) => {
    its.pending.delete(request);
    its.changedAt = performance.now();
  };
  page.on('requestfinished', done);
  page.on('requestfailed', done);
}

/** Waits until a page has asked for all it wants, has been answered, and every picture shows something. */
export async function settled(page: Page): Promise<void> {
  const its = asked.get(page)!;
  await until(
    `all of ${page.url()} is there`,
    async () => ({
      pending: [...its.pending].map((request) => request.url()),
      isQuiet: performance.now() - its.changedAt > 100,
      isLoading: await page.evaluate<boolean>(`document.body.innerText.includes('Loading…')`),
      painted: await paintedShares(page),
    }),
    (seen) =>
      seen.pending.length === 0 &&
      seen.isQuiet &&
      !seen.isLoading &&
      seen.painted.every((share) => share > 0),
    20_000,
  );
}

/** Of each picture on the page, the share of its dots that are painted. */
export async function paintedShares(page: Page): Promise<number[]> {
  return page.evaluate<number[]>(`[...document.querySelectorAll('canvas')].map((canvas) => {
    if (canvas.width === 0 || canvas.height === 0) return 0;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let painted = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at] > 0) painted += 1;
    return painted / (data.length / 4);
  })`);
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
