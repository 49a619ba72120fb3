import type { NodeResult, Run } from '../../../client/operations.ts';
import { NodeDetails } from './node-details.tsx';
import { lookOf, nameOf } from './node-status.ts';

const most = 20;

/** What failed, and why: each with its message, its SQL and what the log says of it. */
export function Failures({ run, nodes }: { run: Run; nodes: NodeResult[] }) {
  const failed = nodes.filter(({ status }) => lookOf(status) === 'bad');
  if (failed.length === 0) return null;
  return (
    <section className="failures" aria-label="Failed nodes">
      <h2>{failed.length === 1 ? 'Failed node' : `${failed.length} failed nodes`}</h2>
      {failed.slice(0, most).map((node, index) => (
        <details key={`${node.step} ${node.unique_id}`} open={index === 0} className="failure">
          <summary>
            <span className="look-bad" aria-hidden="true">
              ✕
            </span>{' '}
            <strong>{nameOf(node.unique_id)}</strong>{' '}
            <span className="quiet failure-message">{firstLine(node.message)}</span>
          </summary>
          <NodeDetails run={run} node={node} />
        </details>
      ))}
      {failed.length > most && <p className="quiet">{failed.length - most} more under Nodes.</p>}
    </section>
  );
}

const firstLine = (message: string | null) => message?.trim().split('\n', 1)[0] ?? '';
