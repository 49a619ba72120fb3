/** `850 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `512 B`, `12.3 KiB`, `4.0 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  if (bytes < 1024) return `${bytes} B`;
  let size = bytes / 1024;
  while (size >= 1024 && units.length > 1) {
    size /= 1024;
    units.shift();
  }
  return `${size.toFixed(1)} ${units[0]}`;
}

/** `just now`, `5 min ago`, `3 days ago`; of what is to come `in 2 h`. */
export function formatAgo(time: string | null, now = Date.now()): string {
  if (time === null) return '';
  const seconds = (now - Date.parse(time)) / 1000;
  const apart = Math.abs(seconds);
  if (apart < 10) return 'just now';
  const units = [
    ['s', 1, 60],
    ['min', 60, 3_600],
    ['h', 3_600, 86_400],
    ['days', 86_400, Infinity],
  ] as const;
  const [unit, size] = units.find(([, , below]) => apart < below)!;
  const count = Math.round(apart / size);
  const shown = `${count} ${unit === 'days' && count === 1 ? 'day' : unit}`;
  return seconds > 0 ? `${shown} ago` : `in ${shown}`;
}

/** `2026-11-30 06:00 Europe/Berlin` */
export function formatTime(time: string, timezone = 'UTC'): string {
  // Sweden writes a date with its year first, and the time after it.
  const shown = new Date(time).toLocaleString('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'short',
  });
  return `${shown} ${timezone}`;
}

/** `1 file`, `2 files`. */
export function countOf(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
