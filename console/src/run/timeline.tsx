import { useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import type { NodeResult } from '../../../client/operations.ts';
import { durationText } from '../parts/time.tsx';
import { lookOf, nameOf } from './node-status.ts';
import { fitted, Picture, type Colours, type Scene, type Size, type View } from './picture.tsx';

const axisHeight = 28;
/** For the names of the threads. */
const gutter = 84;
/** For the buttons below the last lane. */
const footHeight = 44;
const laneHeight = 28;
const laneName = 6;

interface Bar {
  node: NodeResult;
  key: string;
  /** In seconds since the first one began. */
  from: number;
  to: number;
  lane: number;
}

/** When each node was worked on, and by which of dbt's threads. */
export function Timeline({ nodes }: { nodes: NodeResult[] }) {
  const [asked, setAsked] = useSearchParams();
  const [pointed, setPointed] = useState<string | null>(null);
  const { scene, lanes, bars } = useMemo(() => timelineOf(nodes), [nodes]);
  if (bars.length === 0) return <p className="empty">No nodes have started yet.</p>;
  const bar = bars.find(({ key }) => key === pointed);
  const open = (key: string | null) => {
    const picked = bars.find((each) => each.key === key);
    if (picked === undefined) return;
    const next = new URLSearchParams(asked);
    next.set('node', picked.node.unique_id);
    next.set('of', String(picked.node.step));
    setAsked(next, { preventScrollReset: true });
  };
  return (
    <section aria-label="Timeline">
      <Picture
        scene={scene}
        height={axisHeight + lanes.length * laneHeight + footHeight}
        label={`Timeline of ${bars.length} nodes on ${lanes.length} threads. The Nodes tab has the same as a table.`}
        onPick={open}
        onPoint={setPointed}
      />
      <p className="picture-foot">
        {bar === undefined ? (
          <span className="quiet">
            Hover over a node for its name; click it for details. Zoom with + and −, or Ctrl + scroll.
          </span>
        ) : (
          <>
            <strong>{nameOf(bar.node.unique_id)}</strong> {bar.node.status}, {durationText(bar.to - bar.from)}
          </>
        )}
      </p>
    </section>
  );
}

function timelineOf(nodes: NodeResult[]) {
  const begun = nodes.filter((node) => node.start_time !== null);
  const first = Math.min(...begun.map((node) => Date.parse(node.start_time!)));
  const now = Date.now();
  const lanes = [...new Set(begun.map(laneOf))].toSorted((a, b) =>
    a.localeCompare(b, undefined, { numeric: true }),
  );
  const bars = begun.map((node): Bar => {
    const from = (Date.parse(node.start_time!) - first) / 1_000;
    const end = node.end_time === null ? now : Date.parse(node.end_time);
    const to = Math.max(from, (end - first) / 1_000);
    return { node, key: `${node.step} ${node.unique_id}`, from, to, lane: lanes.indexOf(laneOf(node)) };
  });
  const last = bars.reduce((latest, { to }) => Math.max(latest, to), 0.01);
  const scene: Scene = {
    bounds: { width: last * 1.01, height: lanes.length * laneHeight },
    zooms: 'sideways',
    gutter,
    draw: (pen, view, size, colours) => draw(pen, view, size, colours, bars, lanes),
    at(x, y, view) {
      const lane = Math.floor((y - axisHeight) / laneHeight);
      const at = view.x + (x - gutter) / view.scale;
      const near = 2 / view.scale;
      return (
        bars.find((bar) => bar.lane === lane && bar.from - near <= at && at <= bar.to + near)?.key ?? null
      );
    },
  };
  return { scene, lanes, bars };
}

const laneOf = ({ thread, step }: NodeResult) => thread?.replace(/ \(.*\)$/, '') ?? `step ${step}`;

const fillOf = (colours: Colours, status: string) => {
  const look = lookOf(status);
  return look === 'skipped' || look === 'waiting' ? colours.quiet : colours[look];
};

function draw(
  pen: CanvasRenderingContext2D,
  view: View,
  size: Size,
  colours: Colours,
  bars: Bar[],
  lanes: string[],
): void {
  const xOf = (seconds: number) => gutter + (seconds - view.x) * view.scale;
  pen.font = '12px system-ui, sans-serif';
  pen.textBaseline = 'middle';

  for (const [lane, name] of lanes.entries()) {
    const top = axisHeight + lane * laneHeight;
    if (lane % 2 === 0) {
      pen.fillStyle = colours.raised;
      pen.fillRect(0, top, size.width, laneHeight);
    }
    pen.fillStyle = colours.quiet;
    pen.fillText(fitted(pen, name, gutter - 16), 8, top + laneHeight / 2);
  }
  pen.save();
  pen.beginPath();
  pen.rect(gutter, 0, size.width - gutter, size.height);
  pen.clip();
  const step = tickStep(90 / view.scale);
  for (let at = Math.max(0, Math.ceil(view.x / step) * step); xOf(at) < size.width; at += step) {
    pen.fillStyle = colours.line;
    pen.fillRect(Math.round(xOf(at)), 0, 1, size.height);
    pen.fillStyle = colours.quiet;
    pen.fillText(tickText(at, step), xOf(at) + 4, axisHeight / 2);
  }
  const gap = 4;
  for (const { node, from, to, lane } of bars) {
    const [left, right] = [xOf(from), xOf(to)];
    if (right < gutter || left > size.width) continue;
    const width = Math.max(1.5, right - left - 0.5);
    const top = axisHeight + lane * laneHeight + gap;
    pen.fillStyle = fillOf(colours, node.status);
    pen.fillRect(left, top, width, laneHeight - 2 * gap);
    const [textFrom, textTo] = [Math.max(left, gutter) + laneName, Math.min(left + width, size.width) - 4];
    if (textTo - textFrom < 24) continue;
    pen.fillStyle = colours.page;
    pen.fillText(
      fitted(pen, nameOf(node.unique_id), textTo - textFrom),
      textFrom,
      top + laneHeight / 2 - gap,
    );
  }
  pen.restore();
}

/** A round number of seconds that is no less. */
function tickStep(atLeast: number): number {
  const steps = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800,
  ];
  return steps.find((step) => step >= atLeast) ?? Math.ceil(atLeast / 3_600) * 3_600;
}

function tickText(seconds: number, step: number): string {
  if (step < 1) return `${seconds.toFixed(step < 0.01 ? 3 : step < 0.1 ? 2 : 1)} s`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600)
    return `${Math.floor(seconds / 60)} min ${seconds % 60 === 0 ? '' : `${seconds % 60} s`}`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}
