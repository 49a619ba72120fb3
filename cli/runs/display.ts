import type { NodeResult, Run } from '../../client/index.ts';
import { formatSeconds } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { plain } from '../output/plain.ts';
import { nameOfNode } from './nodes.ts';
import { styleOf } from './statuses.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameMs = 120;
const barWidth = 24;

/** How a run goes on: a line drawn over and over in a terminal, and lines of what changed anywhere. */
export interface Display {
  update(run: Run, nodes: NodeResult[]): void;
  close(): void;
}

/** `withNodes`: each node gets a line when it has ended. Not where the log is shown, which tells the same. */
export function openDisplay(out: Output, { withNodes }: { withNodes: boolean }): Display {
  const told = new Set<string>();
  let line = '';
  let frame = 0;
  let status = '';
  const draw = () => out.redraw(`${frames[frame++ % frames.length]} ${line}`);
  const timer = out.isLive ? setInterval(draw, frameMs) : undefined;

  return {
    update(run, nodes) {
      if (!out.isLive && run.status !== status) out.note(run.status);
      status = run.status;
      const ended = nodes.filter(({ end_time: time }) => time !== null);
      for (const node of withNodes ? ended : []) {
        const key = `${node.step} ${node.unique_id}`;
        if (!told.has(key)) out.note(lineOf(node, out));
        told.add(key);
      }
      line = progressOf(run, nodes);
      if (out.isLive) draw();
    },
    close() {
      clearInterval(timer);
      out.redraw('');
    },
  };
}

function lineOf(node: NodeResult, out: Output): string {
  const duration = node.duration_seconds === null ? '' : formatSeconds(node.duration_seconds);
  const what = plain(`${node.resource_type} ${nameOfNode(node)}`);
  return `  ${out.paint(styleOf(node.status), plain(node.status).padEnd(7))} ${what} ${out.paint('dim', duration)}`;
}

function progressOf(run: Run, nodes: NodeResult[]): string {
  const seconds = (Date.now() - Date.parse(run.start_time ?? run.created_at)) / 1000;
  const since = formatSeconds(Math.max(1, Math.floor(seconds)));
  const total = run.nodes_total ?? 0;
  if (total === 0) return `${run.status} ${since}`;
  // dbt counts hooks among the nodes it has done, not among those it has to do.
  const filled = Math.round((Math.min(run.nodes_done, total) / total) * barWidth);
  const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
  const active = nodes.filter(({ end_time: time, status }) => time === null && status === 'started');
  return `${bar} ${run.nodes_done}/${total} ${since} ${active.map(nameOfNode).join(', ')}`;
}
