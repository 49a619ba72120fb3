import { DctlError } from './client.ts';

const patienceMs = 10 * 60_000;
const longestPauseMs = 15_000;

/** Does what may be done again, until it succeeds: through restarts of the server and of what lies before it. */
export async function persistently<Result>(
  work: () => Promise<Result>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Result> {
  const startedAt = Date.now();
  for (let pauseMs = 500; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (isRefusal(error) || Date.now() - startedAt > patienceMs) throw error;
      await pause(Math.max(pauseMs, waitAskedFor(error)), signal);
    }
  }
}

/** An answer that means what it says: asking again gives the same. */
function isRefusal(error: unknown): boolean {
  return error instanceof DctlError && error.status < 500 && error.status !== 429;
}

function waitAskedFor(error: unknown): number {
  return error instanceof DctlError ? (error.retryAfter ?? 0) * 1_000 : 0;
}

export function pause(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const end = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, durationMs);
    signal?.addEventListener('abort', end, { once: true });
  });
}
