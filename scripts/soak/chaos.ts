import { setTimeout as delay } from 'node:timers/promises';
import { awaySeconds, type Part } from './parts.ts';
import { randomOf } from './random.ts';

/** Lets faults happen to every part, each on its own, until the signal aborts; then all of them are up again. */
export async function cause(
  parts: Part[],
  { seed, signal, note }: { seed: number; signal: AbortSignal; note(part: string, what: string): void },
): Promise<void> {
  await Promise.all(
    parts.map(async (part) => {
      const random = randomOf(seed, part.name);
      for (;;) {
        await delay(random.between(...part.every) * 1_000, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return;
        const fault = random.pick(part.faults);
        note(part.name, fault.what);
        await fault.happen(random.between(...awaySeconds));
      }
    }),
  );
}
