import { useSyncExternalStore } from 'react';

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** How long ago, and when exactly for whoever points at it. */
export function Ago({ time }: { time: string }) {
  const now = useNow();
  const seconds = Math.min(0, (Date.parse(time) - now) / 1_000);
  const [unit, size] = units.find(([, each]) => -seconds >= each) ?? (['second', 1] as const);
  return (
    <time dateTime={time} title={moment.format(new Date(time))}>
      {relative.format(Math.trunc(seconds / size), unit)}
    </time>
  );
}

/** Of something that has ended after `seconds`, or goes on since `since`. */
export function Duration({ seconds, since }: { seconds: number | null; since?: string | null | undefined }) {
  const now = useNow();
  if (seconds === null && (since === null || since === undefined)) return <span className="quiet">–</span>;
  return <>{durationText(seconds ?? Math.max(0, (now - Date.parse(since!)) / 1_000))}</>;
}

export function durationText(seconds: number): string {
  if (seconds === 0) return '0 s';
  if (seconds < 9.95) return `${seconds.toFixed(seconds < 0.095 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

let now = Date.now();
const listeners = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;

/** Of all that show a time, once a second. */
function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  now = Date.now();
  ticking ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(ticking);
    ticking = undefined;
  };
}
