import type { Run } from '../../../client/operations.ts';
import { hasSelectedNothing, phaseOf } from '../../../client/phase.ts';

/** How far the run has come with dbt's nodes, and how they ended. */
export function Progress({ run }: { run: Run }) {
  const { nodes_total: total, nodes_done: done } = run;
  if (total === null || total === 0) {
    const phase = phaseOf(run);
    if (phase !== undefined) return <p className="quiet">Now: {phase}…</p>;
    return hasSelectedNothing(run) ? <p className="look-warn">No nodes were selected</p> : null;
  }
  const parts = [
    ['good', run.nodes_succeeded, 'succeeded'],
    ['bad', run.nodes_failed, 'failed'],
    ['skipped', run.nodes_skipped, 'skipped'],
  ] as const;
  const words = parts.flatMap(([, count, word]) => (count === 0 ? [] : [`${count} ${word}`]));
  const text = [`${done} of ${total} nodes`, ...words].join(', ');
  return (
    <div className="progress">
      <div
        className="progress-bar"
        role="progressbar"
        aria-label="Nodes done"
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
        aria-valuetext={text}
      >
        {parts.map(([look, count]) => (
          <div key={look} className={`fill-${look}`} style={{ width: `${(100 * count) / total}%` }} />
        ))}
      </div>
      <span>
        {done} of {total} nodes
        {parts.map(
          ([look, count, word]) =>
            count > 0 && (
              <span key={word}>
                {', '}
                <span className={`look-${look}`}>
                  {count} {word}
                </span>
              </span>
            ),
        )}
      </span>
    </div>
  );
}
