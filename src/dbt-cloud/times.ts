/** `YYYY-MM-DD HH:MM:SS.ffffff+00:00`: the times of runs. Some clients know no other form. */
export function timeOfRun(time: Date): string {
  return `${time.toISOString().replace('T', ' ').replace('Z', '')}000+00:00`;
}

export function orNull<Given, Made>(given: Given | null, make: (given: Given) => Made): Made | null {
  return given === null ? null : make(given);
}

/** `HH:MM:SS` of what lies between; nothing between when either is not known. */
export function durationBetween(from: Date | null, to: Date | null): string {
  const { hours, minutes, seconds } = between(from, to);
  return [hours, minutes, seconds].map((part) => String(part).padStart(2, '0')).join(':');
}

/** The same for people: `1 minute, 12 seconds`. */
export function humanizedBetween(from: Date | null, to: Date | null): string {
  const { hours, minutes, seconds } = between(from, to);
  const parts = [counted(hours, 'hour'), counted(minutes, 'minute'), counted(seconds, 'second')];
  return parts.filter((part) => !part.startsWith('0 ')).join(', ') || '0 seconds';
}

function between(from: Date | null, to: Date | null) {
  const ms = from === null || to === null ? 0 : Math.max(0, to.getTime() - from.getTime());
  const whole = Math.floor(ms / 1_000);
  return {
    hours: Math.floor(whole / 3_600),
    minutes: Math.floor(whole / 60) % 60,
    seconds: whole % 60,
  };
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
