import { UsageError } from './failure.ts';

/** Reads a whole number. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    throw new UsageError(`Write a whole number from ${least} to ${most}, not ${text}.`);
  };
}

const unitsSeconds = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 } as const;

/** Reads a length of time as seconds: `90`, `30m`, `12h`, `7d`. */
export function seconds(text: string): number {
  const [, count, unit = 's'] = /^(\d{1,9})([smhdw])?$/.exec(text) ?? [];
  if (count === undefined)
    throw new UsageError(`Write a length of time such as 30m, 12h or 7d, not ${text}.`);
  return Number(count) * unitsSeconds[unit as keyof typeof unitsSeconds];
}

/** Reads a time: one of ISO 8601, or how far away it is. */
function time(sign: 1 | -1): (text: string) => string {
  return (text) => {
    if (/^\d{1,9}[smhdw]$/.test(text))
      return new Date(Date.now() + sign * seconds(text) * 1000).toISOString();
    const given = new Date(text);
    if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(given.getTime())) return given.toISOString();
    throw new UsageError(`Write a time such as 2026-11-30, 2026-11-30T08:00:00Z or 7d, not ${text}.`);
  };
}

export const timeAgo = time(-1);
export const timeAhead = time(1);

/** Reads `NAME=VALUE`. */
export function assignment(text: string): [name: string, value: string] {
  const split = text.indexOf('=');
  if (split < 1) throw new UsageError(`Write NAME=VALUE, not ${text}.`);
  return [text.slice(0, split), text.slice(split + 1)];
}
