import { setTimeout as delay } from 'node:timers/promises';

/**
 * Looks every 50 ms until `look` gives something that `isRight` accepts, and returns it. When that doesn't happen in
 * time it throws an error that shows what was seen last.
 */
export async function until<Seen>(
  what: string,
  look: () => Promise<Seen> | Seen,
  isRight: (seen: Seen) => boolean,
  timeoutMs = 60_000,
): Promise<Seen> {
  for (const startedAt = performance.now(); ; await delay(50)) {
    const seen = await look();
    if (isRight(seen)) return seen;
    if (performance.now() - startedAt > timeoutMs) {
      throw new Error(
        `waited ${timeoutMs} ms until ${what}; last seen: ${JSON.stringify(seen)?.slice(0, 2_000)}`,
      );
    }
  }
}
