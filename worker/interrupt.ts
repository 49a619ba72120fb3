import type { Context } from '../src/context.ts';
import { containerName } from './dbt/container-spec.ts';
import type { Executor } from './executors/executor.ts';

const repeatMs = 1_000;

/**
 * Sends a run's container SIGINT, dbt's way to stop its queries; then, after the grace, SIGKILL. Until then SIGINT is
 * repeated: it is lost on a container that is just being started, and only the first one that arrives counts.
 *
 * @returns what stops it
 */
export function interrupt(
  {
    context: { config, log },
    executor,
    run,
  }: { context: Pick<Context, 'config' | 'log'>; executor: Executor; run: { id: string } },
  why: 'a run that reached its timeout' | 'a run that was cancelled',
): () => void {
  const send = (signal: 'SIGINT' | 'SIGKILL') => {
    executor
      .signal(containerName(run.id), signal)
      .catch((error: unknown) => log.warn({ error, run: run.id }, 'a signal was not sent'));
  };
  const begin = (signal: 'SIGINT' | 'SIGKILL') => {
    log.info({ run: run.id, signal }, `ending ${why}`);
    send(signal);
  };
  begin('SIGINT');
  const repeating = setInterval(() => send('SIGINT'), repeatMs);
  const impatient = setTimeout(() => {
    clearInterval(repeating);
    begin('SIGKILL');
  }, config.DCTL_CANCEL_GRACE_SECONDS * 1_000);
  return () => {
    clearInterval(repeating);
    clearTimeout(impatient);
  };
}
