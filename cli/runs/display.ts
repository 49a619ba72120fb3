import { isFinal, type NodeResult, type Run } from '../../client/index.ts';
import { phaseOf } from '../../client/phase.ts';
import { formatSeconds } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { plain } from '../output/plain.ts';
import { cut } from '../output/table.ts';
import { nameOfNode } from './nodes.ts';
import { styleOf } from './statuses.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameMs = 120;
/** Elsewhere than in a terminal: CI services end what is silent for long. */
const tellEveryMs = 60_000;
const barWidth = 24;

/** How a run goes on: a line drawn over and over in a terminal, and lines of what changed anywhere. */
export interface Display {
  update(run: Run, nodes: NodeResult[]): void;
  close(): void;
}

/** `withNodes`: each node gets a line when it has ended. Not where the log is shown, which tells the same. */
export function openDisplay(
  out: Output,
  { withNodes, everyMs = tellEveryMs }: { withNodes: boolean; everyMs?: number },
): Display {
  const told = new Set<string>();
  let line = '';
  let frame = 0;
  let state = '';
  const draw = () => out.redraw(`${frames[frame++ % frames.length]} ${line}`);
  const tell = () => {
    if (withNodes && line !== '') out.note(plain(line));
  };
  const timer = out.isLive ? setInterval(draw, frameMs) : setInterval(tell, everyMs);

  return {
    update(run, nodes) {
      // How it ended is the result, and said below.
      const now = stateOf(run);
      const isNews = now !== state && !(now === run.status && state.startsWith(`${now},`));
      if (!out.isLive && isNews && !isFinal(run)) out.note(plain(now));
      state = now;
      const ended = nodes.filter(({ end_time: time }) => time !== null);
      for (const node of withNodes ? ended : []) {
        const key = `${node.step} ${node.unique_id}`;
        if (!told.has(key)) out.note(lineOf(node, out));
        told.add(key);
      }
      line = progressOf(run, nodes, out);
      if (out.isLive) draw();
    },
    close() {
      clearInterval(timer);
      out.redraw('');
    },
  };
}

function lineOf(node: NodeResult, out: Output): string {
  const status = plain(node.status).padEnd(7);
  const duration = (node.duration_seconds === null ? '' : formatSeconds(node.duration_seconds)).padStart(10);
  const room = out.remarkColumns - 2 - status.length - duration.length - 4;
  const what = cut(plain(`${node.resource_type} ${nameOfNode(node)}`), room);
  return `  ${out.paint(styleOf(node.status), status)}${out.paint('dim', duration)}  ${what}`;
}

/** `running, starting dbt` */
function stateOf(run: Run): string {
  const phase = phaseOf(run);
  return phase === undefined ? run.status : `${run.status}, ${phase}`;
}

function progressOf(run: Run, nodes: NodeResult[], { isLive, remarkColumns }: Output): string {
  const seconds = (Date.now() - Date.parse(run.start_time ?? run.created_at)) / 1000;
  const since = formatSeconds(Math.max(1, Math.floor(seconds)));
  const total = run.nodes_total ?? 0;
  if (total === 0)
    return [`${run.status} ${since}`, phaseOf(run)].filter((part) => part !== undefined).join(', ');
  // dbt counts hooks among the nodes it has done, not among those it has to do.
  const done = Math.min(run.nodes_done, total);
  const width = Math.min(barWidth, Math.floor(remarkColumns / 3));
  const filled = Math.round((done / total) * width);
  const bar = isLive ? '█'.repeat(filled) + '░'.repeat(width - filled) : run.status;
  const active = nodes.filter(({ end_time: time, status }) => time === null && status === 'started');
  return `${bar} ${done}/${total} ${since} ${active.map(nameOfNode).join(', ')}`;
}
