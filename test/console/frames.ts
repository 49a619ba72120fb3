import type { Page } from 'playwright-core';

export interface Frames {
  count: number;
  longestMs: number;
}

/** How long the longest frame of a page took while `work` went on. */
export async function framesDuring(page: Page, work: () => Promise<void>): Promise<Frames> {
  await page.evaluate(`
    globalThis.frames_ = { isOn: true, times: [] };
    const look = (time) => {
      frames_.times.push(time);
      if (frames_.isOn) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  `);
  await work();
  const times = await page.evaluate<number[]>('frames_.isOn = false, frames_.times');
  const lengths = times.slice(1).map((time, index) => time - times[index]!);
  return { count: lengths.length, longestMs: Math.round(Math.max(...lengths)) };
}

/** Turns the wheel over the middle of the window, so often. */
export async function turnWheel(
  page: Page,
  { times, by }: { times: number; by: number },
  goesOn: () => Promise<boolean> = async () => true,
): Promise<void> {
  for (let turn = 0; turn < times && (await goesOn()); turn += 1) {
    await page.mouse.wheel(0, by);
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  }
}
