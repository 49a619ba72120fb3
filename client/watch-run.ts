import type { DctlClient } from './client.ts';
import type { Run } from './operations.ts';
import { pause, persistently } from './persistently.ts';

/** Whether a run has ended: nothing of it changes any more but whether its artifacts are stored. */
export function isFinal({ status }: Pick<Run, 'status'>): boolean {
  return status !== 'queued' && status !== 'running';
}

/**
 * A run again and again, the last time when it has ended. A server that restarts meanwhile, or is away for less than ten
 * minutes, is waited for.
 */
export async function* watchRun(
  client: DctlClient,
  runId: string,
  options: { everyMs?: number; signal?: AbortSignal } = {},
): AsyncGenerator<Run, void> {
  const { everyMs = 1_000, signal } = options;
  const asked = signal === undefined ? {} : { signal };
  for (;;) {
    const run = await persistently(() => client.call('getRun', { path: { run_id: runId } }, asked), asked);
    yield run;
    if (isFinal(run)) return;
    await pause(everyMs, signal);
  }
}
