import type { Level } from './log-level.ts';
import type { RunLog } from './run-log.ts';
import { isContinued } from './log-level.ts';

const atLeast: Record<Level, Level[]> = {
  info: ['info', 'warn', 'error'],
  warn: ['warn', 'error'],
  error: ['error'],
};

/**
 * Which lines are shown (null: all) and in which of those the text stands, by their index. As a log grows only what is
 * new is looked at.
 */
export function linesOfInterest(log: RunLog, level: Level, search: string) {
  const shown: number[] = [];
  const found: number[] = [];
  let next = 0;
  return {
    upToNow(): { shown: number[] | null; found: number[] } {
      for (; next < log.lines.length; next += 1) {
        const line = log.lines[next]!;
        if (!atLeast[level].includes(line.level)) continue;
        if (level !== 'info') shown.push(next);
        if (search !== '' && line.plain.toLowerCase().includes(search)) found.push(next);
      }
      return { shown: level === 'info' ? null : shown, found };
    },
  };
}

/** The lines that name a node, with those that go on with them: at most so many. */
export function linesAbout(log: RunLog, name: string, most: number): number[] {
  const about: number[] = [];
  const named = new RegExp(`(?<![\\w.])${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w.]*\\w)`);
  let goesOn = false;
  for (const [index, { plain }] of log.lines.entries()) {
    const isNamed = plain.includes(name) && named.test(plain);
    goesOn = isNamed || (goesOn && isContinued(plain));
    if (goesOn) about.push(index);
    if (about.length >= most) break;
  }
  return about;
}
