import { useMemo } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { NodeResult } from '../../../client/operations.ts';
import { Cell, Rows, type Column } from '../parts/rows.tsx';
import { Duration } from '../parts/time.tsx';
import { gravest, lookOf, nameOf, type NodeLook } from './node-status.ts';
import { NodeStatus } from './node-status-shown.tsx';

const sorts = {
  failed: (a: NodeResult, b: NodeResult) =>
    Number(lookOf(b.status) === 'bad') - Number(lookOf(a.status) === 'bad') ||
    compare(a.start_time ?? '~', b.start_time ?? '~'),
  status: (a: NodeResult, b: NodeResult) =>
    gravest.indexOf(lookOf(a.status)) - gravest.indexOf(lookOf(b.status)),
  name: (a: NodeResult, b: NodeResult) => compare(nameOf(a.unique_id), nameOf(b.unique_id)),
  type: (a: NodeResult, b: NodeResult) => compare(a.resource_type, b.resource_type),
  took: (a: NodeResult, b: NodeResult) => (b.duration_seconds ?? -1) - (a.duration_seconds ?? -1),
};
type Sort = keyof typeof sorts;

const lookWords: [NodeLook, string][] = [
  ['bad', 'failed'],
  ['warn', 'warning'],
  ['skipped', 'skipped'],
  ['busy', 'running'],
  ['waiting', 'queued'],
  ['good', 'succeeded'],
];

/** Every node of the run: those that failed first, or sorted and narrowed as the address says. */
export function NodesTable({ nodes }: { nodes: NodeResult[] }) {
  const [asked, setAsked] = useSearchParams();
  const text = asked.get('find') ?? '';
  const look = lookWords.find(([each]) => each === asked.get('look'))?.[0];
  const sort: Sort = (asked.get('sort') ?? '') in sorts ? (asked.get('sort') as Sort) : 'failed';
  const isTurned = asked.get('turned') === '1';
  const change = (changes: Record<string, string>) => {
    const next = new URLSearchParams(asked);
    for (const [name, value] of Object.entries(changes)) {
      if (value === '') next.delete(name);
      else next.set(name, value);
    }
    setAsked(next, { replace: true, preventScrollReset: true });
  };
  const shown = useMemo(() => {
    const wanted = nodes.filter(
      ({ unique_id: id, status }) =>
        id.toLowerCase().includes(text.toLowerCase()) && (look === undefined || lookOf(status) === look),
    );
    const sorted = wanted.toSorted(sorts[sort]);
    return isTurned ? sorted.toReversed() : sorted;
  }, [nodes, text, look, sort, isTurned]);

  const column = (name: string, width: string, by: Sort): Column => ({
    name,
    width,
    sort: {
      now: sort === by ? (isTurned ? 'descending' : 'ascending') : 'none',
      change: () => change({ sort: by, turned: sort === by && !isTurned ? '1' : '' }),
    },
  });
  const columns = [
    column('Status', '120px', 'status'),
    column('Node', 'minmax(0, 3fr)', 'name'),
    column('Type', '90px', 'type'),
    column('Duration', '90px', 'took'),
    { name: 'Message', width: 'minmax(0, 3fr)' },
  ];
  const withNode = (id: string, step: number) => {
    const next = new URLSearchParams(asked);
    next.set('node', id);
    next.set('of', String(step));
    return { search: `?${next.toString()}` };
  };

  return (
    <section aria-label="Nodes">
      <div className="log-tools">
        <input
          type="search"
          aria-label="Search nodes"
          placeholder="Search nodes"
          value={text}
          onChange={({ target }) => change({ find: target.value })}
        />
        <select
          aria-label="Status"
          value={look ?? ''}
          onChange={({ target }) => change({ look: target.value })}
        >
          <option value="">All statuses ({nodes.length})</option>
          {lookWords.map(([each, word]) => (
            <option key={each} value={each}>
              {word} ({nodes.filter(({ status }) => lookOf(status) === each).length})
            </option>
          ))}
        </select>
        <button
          type="button"
          aria-pressed={sort === 'took' && !isTurned}
          onClick={() => change({ sort: sort === 'took' ? '' : 'took', turned: '' })}
        >
          Slowest first
        </button>
        <span className="quiet" role="status">
          {shown.length === nodes.length ? '' : `${shown.length} of ${nodes.length}`}
        </span>
      </div>
      {shown.length === 0 ? (
        <p className="empty">{nodes.length === 0 ? 'No nodes yet.' : 'No nodes match these filters.'}</p>
      ) : (
        <Rows
          label="Nodes"
          columns={columns}
          count={shown.length}
          height={38}
          narrowHeight={64}
          rowClass={() => 'node-row'}
          row={(index) => {
            const node = shown[index]!;
            const cells = (
              <>
                <Cell className="node-status">
                  <NodeStatus status={node.status} />
                </Cell>
                <Cell className="node-name">
                  <Link to={withNode(node.unique_id, node.step)} title={node.unique_id} preventScrollReset>
                    {nameOf(node.unique_id)}
                  </Link>
                </Cell>
                <Cell className="node-type">{node.resource_type}</Cell>
                <Cell className="node-took">
                  <Duration seconds={node.duration_seconds} since={node.start_time} />
                </Cell>
                <Cell className="node-message">
                  <span title={node.message ?? undefined}>{node.message}</span>
                </Cell>
              </>
            );
            return { key: `${node.step} ${node.unique_id}`, cells };
          }}
        />
      )}
    </section>
  );
}

const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));
