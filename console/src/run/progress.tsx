import type { Run } from '../../../client/operations.ts';

/** How far the run has come with dbt's nodes, and how they ended. */
export function Progress({ run }: { run: Run }) {
  const { nodes_total: total, nodes_done: done } = run;
  if (total === null || total === 0) {
    if (run.status === 'running') return <p className="quiet">Starting dbt…</p>;
    if (run.status === 'success' && selectsNodes(run)) {
      return <p className="look-warn">No nodes were selected</p>;
    }
    return null;
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

/** Whether one of its commands is there to execute nodes: others succeed without. */
const selectsNodes = ({ steps }: Run) =>
  steps.some(({ command }) => /^dbt\s+(-\S+\s+)*(build|run|test|seed|snapshot)(\s|$)/.test(command));
