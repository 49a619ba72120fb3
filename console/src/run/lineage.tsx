import { useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import type { NodeResult, Run } from '../../../client/operations.ts';
import { Problem } from '../parts/problem.tsx';
import { box, type Graph } from './lineage-graph.ts';
import { gravest, lookOf, nameOf, signOf, type NodeLook } from './node-status.ts';
import { fitted, Picture, type Colours, type Scene, type Size, type View } from './picture.tsx';
import { useGraph } from './use-graph.ts';

/** How a node is, and how its tests are. null: it had no part in the run. */
interface Look {
  own: NodeLook | null;
  tests: NodeLook | null;
}

const words: Record<NodeLook, string> = {
  good: 'succeeded',
  warn: 'warning',
  bad: 'failed',
  skipped: 'skipped',
  busy: 'running',
  waiting: 'queued',
};

/** What is made of what, each node in the colour of what became of it. */
export function Lineage({ run, nodes }: { run: Run; nodes: NodeResult[] }) {
  const [isWhole, setWhole] = useState(false);
  const [picked, setPicked] = useState<string | null>(null);
  const { graph, error, again } = useGraph(run, nodes, isWhole);
  const looks = useMemo(() => looksOf(graph ?? null, nodes), [graph, nodes]);
  const pickedAt = graph?.nodes.findIndex(({ id }) => id === picked) ?? -1;
  const scene = useMemo(
    () => (graph == null ? null : sceneOf(graph, looks, pickedAt)),
    [graph, looks, pickedAt],
  );
  const [target, setTarget] = useState<{ x: number; y: number } | null>(null);
  if (error !== null) return <Problem error={error} again={again} />;
  if (graph === undefined) return <p className="quiet">Loading…</p>;
  if (graph === null || scene === null)
    return (
      <p className="empty">
        No lineage yet. It appears once a run of this deployment has produced a manifest.json.
      </p>
    );
  const goTo = (id: string) => {
    const node = graph?.nodes.find((each) => each.id === id);
    setPicked(id);
    if (node !== undefined) setTarget({ x: node.x + box.width / 2, y: node.y });
  };
  return (
    <section aria-label="Lineage">
      <div className="log-tools">
        <FindNode graph={graph} looks={looks} goTo={goTo} />
        <label className="choice">
          <input
            type="checkbox"
            checked={isWhole}
            onChange={({ target: { checked } }) => setWhole(checked)}
          />
          Show the whole project
        </label>
        <span className="quiet">{graph.nodes.length} nodes</span>
      </div>
      <Picture
        scene={scene}
        height={Math.max(240, Math.min(560, graph.height + 60))}
        label={`Lineage of ${graph.nodes.length} nodes. Search for a node to read its dependencies as text.`}
        centre={target}
        onPick={setPicked}
      />
      {pickedAt === -1 ? (
        <p className="picture-foot quiet">
          Click a node for its dependencies. Drag to move; zoom with + and −, or Ctrl + scroll.
        </p>
      ) : (
        <NodeCard graph={graph} looks={looks} at={pickedAt} goTo={goTo} nodes={nodes} />
      )}
    </section>
  );
}

function FindNode({ graph, looks, goTo }: { graph: Graph; looks: Look[]; goTo: (id: string) => void }) {
  const [text, setText] = useState('');
  const most = 30;
  const found =
    text === ''
      ? []
      : graph.nodes.flatMap((node, place) =>
          nameOf(node.id).toLowerCase().includes(text.toLowerCase()) ? [{ node, place }] : [],
        );
  return (
    <div className="find-node">
      <input
        type="search"
        aria-label="Search nodes"
        placeholder="Search nodes"
        value={text}
        onChange={({ target }) => setText(target.value)}
      />
      {text !== '' && (
        <ul aria-label="Nodes found">
          {found.slice(0, most).map(({ node, place }) => (
            <li key={node.id}>
              <button
                type="button"
                className="plain"
                onClick={() => {
                  setText('');
                  goTo(node.id);
                }}
              >
                {nameOf(node.id)} <span className="quiet">{wordsOf(looks[place]!)}</span>
              </button>
            </li>
          ))}
          {found.length === 0 && <li className="quiet">No matching nodes.</li>}
          {found.length > most && <li className="quiet">and {found.length - most} more</li>}
        </ul>
      )}
    </div>
  );
}

/** A node with those it is joined to: the graph, in words. */
function NodeCard({
  graph,
  looks,
  at,
  goTo,
  nodes,
}: {
  graph: Graph;
  looks: Look[];
  at: number;
  goTo: (id: string) => void;
  nodes: NodeResult[];
}) {
  const [asked, setAsked] = useSearchParams();
  const node = graph.nodes[at]!;
  const results = new Set(nodes.map(({ unique_id: id }) => id));
  const failedTests = nodes.filter(
    ({ unique_id: id, status }) => node.tests.includes(id) && lookOf(status) === 'bad',
  );
  const open = (id: string) => {
    const next = new URLSearchParams(asked);
    next.set('node', id);
    next.delete('of');
    setAsked(next, { preventScrollReset: true });
  };
  const sides = [
    ['Depends on', graph.edges.flatMap(([from, to]) => (to === at ? [from] : []))],
    ['Used by', graph.edges.flatMap(([from, to]) => (from === at ? [to] : []))],
  ] as const;
  return (
    <div className="card node-card" role="group" aria-label={nameOf(node.id)}>
      <div className="card-head">
        <h2>
          {nameOf(node.id)} <span className="quiet">{node.type}</span>
        </h2>
        <span>{wordsOf(looks[at]!)}</span>
        {results.has(node.id) && (
          <button type="button" onClick={() => open(node.id)}>
            Details
          </button>
        )}
      </div>
      {failedTests.map(({ unique_id: id }) => (
        <p key={id}>
          <span className="look-bad">✕ test failed:</span>{' '}
          <button type="button" className="plain node-link" onClick={() => open(id)}>
            {nameOf(id)}
          </button>
        </p>
      ))}
      {sides.map(
        ([word, places]) =>
          places.length > 0 && (
            <p key={word}>
              <span className="quiet">{word}:</span>{' '}
              {places.map((place, index) => {
                const other = graph.nodes[place]!;
                return (
                  <span key={other.id}>
                    {index > 0 && ', '}
                    <button type="button" className="plain node-link" onClick={() => goTo(other.id)}>
                      {nameOf(other.id)}
                    </button>
                  </span>
                );
              })}
            </p>
          ),
      )}
    </div>
  );
}

function looksOf(graph: Graph | null, nodes: NodeResult[]): Look[] {
  // Of several steps the last one's word counts.
  const statuses = new Map(nodes.map(({ unique_id: id, status }) => [id, lookOf(status)]));
  return (graph?.nodes ?? []).map(({ id, tests }) => {
    const its = new Set(tests.flatMap((test) => statuses.get(test) ?? []));
    return { own: statuses.get(id) ?? null, tests: gravest.find((look) => its.has(look)) ?? null };
  });
}

function wordsOf({ own, tests }: Look): string {
  const word = own === null ? 'not in this run' : words[own];
  return tests === 'bad'
    ? `${word}, a test failed`
    : tests === 'warn'
      ? `${word}, a test has a warning`
      : word;
}

function sceneOf(graph: Graph, looks: Look[], picked: number): Scene {
  const joined = picked === -1 ? null : joinedWith(graph, picked);
  return {
    bounds: { width: graph.width, height: graph.height },
    zooms: 'both',
    draw: (pen, view, size, colours) => draw(pen, view, size, colours, { graph, looks, picked, joined }),
    nearest: (x, y) => nearestTo(graph, x, y),
    at(x, y, view) {
      const [worldX, worldY] = [view.x + x / view.scale, view.y + y / view.scale];
      const half = Math.max(box.height / 2, 6 / view.scale);
      const found = graph.nodes.find(
        (node) => node.x <= worldX && worldX <= node.x + box.width && Math.abs(worldY - node.y) <= half,
      );
      return found?.id ?? null;
    },
  };
}

function nearestTo({ nodes }: Graph, x: number, y: number): { x: number; y: number } | null {
  let nearest: { x: number; y: number } | null = null;
  let least = Infinity;
  for (const node of nodes) {
    const middle = node.x + box.width / 2;
    const distance = Math.hypot(middle - x, node.y - y);
    if (distance < least) [least, nearest] = [distance, { x: middle, y: node.y }];
  }
  return nearest;
}

/** All that a node comes of, and all that comes of it. */
function joinedWith({ edges, nodes }: Graph, start: number): Set<number> {
  const joined = new Set([start]);
  for (const side of [0, 1] as const) {
    const next = nodes.map((): number[] => []);
    for (const edge of edges) next[edge[side]]!.push(edge[1 - side]!);
    const queue = new Set([start]);
    for (const node of queue) for (const other of next[node]!) queue.add(other);
    for (const node of queue) joined.add(node);
  }
  return joined;
}

const fillOf = (colours: Colours, look: NodeLook | null) =>
  look === null ? colours.line : look === 'skipped' || look === 'waiting' ? colours.quiet : colours[look];

function draw(
  pen: CanvasRenderingContext2D,
  view: View,
  size: Size,
  colours: Colours,
  {
    graph,
    looks,
    picked,
    joined,
  }: { graph: Graph; looks: Look[]; picked: number; joined: Set<number> | null },
): void {
  const { scale } = view;
  const left = (x: number) => (x - view.x) * scale;
  const top = (y: number) => (y - view.y) * scale;
  const [width, height] = [box.width * scale, box.height * scale];

  // Those that matter are drawn last, and all of one kind in one stroke.
  for (const isJoined of [false, true]) {
    pen.beginPath();
    for (const [from, to] of graph.edges) {
      if ((joined !== null && joined.has(from) && joined.has(to)) !== isJoined) continue;
      const [a, b] = [graph.nodes[from]!, graph.nodes[to]!];
      const [x1, y1, x2, y2] = [left(a.x) + width, top(a.y), left(b.x), top(b.y)];
      if (Math.max(x1, x2) < 0 || Math.min(x1, x2) > size.width) continue;
      if (Math.max(y1, y2) < 0 || Math.min(y1, y2) > size.height) continue;
      const bend = Math.max(20 * scale, (x2 - x1) / 2);
      pen.moveTo(x1, y1);
      pen.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2, y2);
    }
    pen.strokeStyle = isJoined ? colours.accent : colours.line;
    pen.lineWidth = isJoined ? 1.5 : 1;
    pen.stroke();
  }

  const isLegible = scale > 0.45;
  pen.font = `${12 * scale}px system-ui, sans-serif`;
  pen.textBaseline = 'middle';
  for (const [place, node] of graph.nodes.entries()) {
    const [x, middle] = [left(node.x), top(node.y)];
    const y = middle - height / 2;
    if (x + width < 0 || x > size.width || y + height < 0 || y > size.height) continue;
    const { own, tests } = looks[place] ?? { own: null, tests: null };
    const colour = fillOf(colours, own);
    pen.globalAlpha = joined === null || joined.has(place) ? 1 : 0.35;
    if (!isLegible) {
      // What failed is to be seen from afar.
      const isBad = own === 'bad' || tests === 'bad';
      const more = isBad ? 2 : 0;
      pen.fillStyle = isBad ? colours.bad : colour;
      pen.fillRect(x - more, y - more, width + 2 * more, Math.max(2, height) + 2 * more);
      continue;
    }
    pen.fillStyle = own === null ? colours.page : colours.raised;
    pen.fillRect(x, y, width, height);
    pen.strokeStyle = place === picked ? colours.accent : colour;
    pen.lineWidth = place === picked ? 3 : 1;
    pen.strokeRect(x, y, width, height);
    pen.fillStyle = colour;
    pen.fillRect(x, y, 5 * scale, height);
    pen.fillStyle = own === null ? colours.quiet : colours.text;
    const sign = own === null ? '' : `${signOf[own]} `;
    const room = width - (tests === 'bad' || tests === 'warn' ? 34 : 20) * scale;
    pen.fillText(fitted(pen, sign + nameOf(node.id), room), x + 12 * scale, middle);
    if (tests === 'bad' || tests === 'warn') {
      pen.fillStyle = colours[tests];
      pen.fillText(signOf[tests], x + width - 16 * scale, middle);
    }
  }
  pen.globalAlpha = 1;
}
