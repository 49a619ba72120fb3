import { useSearchParams } from 'react-router';
import type { NodeResult, Run } from '../../../client/operations.ts';
import { Dialog } from '../parts/dialog.tsx';
import { NodeDetails } from './node-details.tsx';
import { nameOf } from './node-status.ts';

/** The node that the address names, over the page. */
export function NodeDialog({ run, nodes }: { run: Run; nodes: NodeResult[] }) {
  const [asked, setAsked] = useSearchParams();
  const node = findNode(nodes, asked);
  if (node === undefined) return null;
  const close = () => {
    const next = new URLSearchParams(asked);
    next.delete('node');
    next.delete('of');
    setAsked(next, { preventScrollReset: true });
  };
  return (
    <Dialog title={nameOf(node.unique_id)} onClose={close}>
      <code className="command">{node.unique_id}</code>
      <NodeDetails run={run} node={node} />
      <div className="actions dialog-actions">
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

/** Of several steps' results of one node the newest, unless the address says which. */
function findNode(nodes: NodeResult[], asked: URLSearchParams): NodeResult | undefined {
  const its = nodes.filter(({ unique_id: id }) => id === asked.get('node'));
  return its.find(({ step }) => String(step) === asked.get('of')) ?? its.at(-1);
}
