import type { Run } from '../../../client/operations.ts';

export const triggerWords: Record<Run['triggered_by'], string> = {
  manual: 'manual',
  schedule: 'schedule',
  api: 'API',
  event: 'event',
  retry: 'retry',
};

/** Why there is the run, and who asked for it. */
export function Why({ run }: { run: Run }) {
  const word = triggerWords[run.triggered_by];
  return (
    <>
      <span title={run.cause ?? undefined}>{run.cause ?? word}</span>
      <span className="second">
        {[run.cause === null ? null : word, run.requested_by].filter((each) => each !== null).join(' · ')}
      </span>
    </>
  );
}
