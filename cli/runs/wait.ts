import { followLog, watchRun, type DctlClient, type NodeResult, type Run } from '../../client/index.ts';
import { hasSelectedNothing } from '../../client/phase.ts';
import type { ExitCode } from '../exit-codes.ts';
import { plainLogLine } from '../output/plain.ts';
import type { Shell } from '../shell.ts';
import { openDisplay } from './display.ts';
import { outcomeOf, sayFailures } from './describe-run.ts';
import { nodesOf } from './nodes.ts';
import { exitCodeOf, isFailure } from './statuses.ts';
import { plain } from '../output/plain.ts';

/** Of a run with more nodes it is asked less often what they do. */
const manyNodes = 200;

/** Stays until the run has ended, shows how it goes on and what came of it. Answers the exit code. */
export async function waitForEnd(
  shell: Shell,
  runId: string,
  { follow, cancelOnInterrupt }: { follow: boolean; cancelOnInterrupt: boolean },
): Promise<ExitCode> {
  const { out, signal } = shell;
  const client = shell.client();
  const display = openDisplay(out, { withNodes: !follow });
  try {
    const [{ run, nodes }] = await Promise.all([
      watched(client, runId, { signal, update: display.update, needsNodes: !follow || out.isLive }),
      follow ? sayLog(shell, client, runId) : undefined,
    ]);
    display.close();
    out.answer(run, () => {
      out.say(`${out.paint('bold', plain(run.name))}: ${outcomeOf(run, out)}`);
      sayFailures(run, nodes, out);
      out.say(`  ${out.paint('dim', runAddress(shell, runId))}`);
    });
    if (hasSelectedNothing(run))
      out.note(`${out.paint('yellow', 'Warning:')} no nodes were selected, and nothing was done.`);
    return exitCodeOf(run.status);
  } catch (error) {
    display.close();
    if (signal.aborted) await sayInterrupted(shell, runId, cancelOnInterrupt);
    throw error;
  }
}

/** Where the run is shown in the console. */
export function runAddress(shell: Shell, runId: string): string {
  return `${shell.host().url}/console/runs/${encodeURIComponent(runId)}`;
}

async function watched(
  client: DctlClient,
  runId: string,
  options: { signal: AbortSignal; needsNodes: boolean; update: (run: Run, nodes: NodeResult[]) => void },
): Promise<{ run: Run; nodes: NodeResult[] }> {
  const { signal, needsNodes, update } = options;
  let nodes: NodeResult[] = [];
  let done = -1;
  let asked = 0;
  let last: Run | undefined;
  for await (const run of watchRun(client, runId, { everyMs: 700, signal })) {
    last = run;
    asked += 1;
    const isWorthwhile = (run.nodes_total ?? 0) < manyNodes || asked % 4 === 0 || run.end_time !== null;
    const changed = run.nodes_done !== done || run.status === 'running';
    if (needsNodes && run.nodes_total !== null && isWorthwhile && changed) {
      nodes = await nodesOf(client, runId).catch(() => nodes);
      done = run.nodes_done;
    }
    update(run, nodes);
  }
  const run = last!;
  const isAsked = nodes.some(({ status }) => isFailure(status)) || run.nodes_failed === 0;
  return { run, nodes: isAsked ? nodes : await nodesOf(client, runId).catch(() => nodes) };
}

async function sayLog(shell: Shell, client: DctlClient, runId: string): Promise<void> {
  const { out, signal } = shell;
  for await (const lines of followLog(client, runId, { signal })) sayLogLines(shell, lines, out.isJson);
}

/** With --json, stdout is for the result: the log goes to stderr. */
function sayLogLines({ out }: Shell, lines: string[], asRemarks: boolean): void {
  for (const line of lines) {
    if (asRemarks) out.note(out.isLive ? plainLogLine(line) : line);
    else out.say(out.isTerminal ? plainLogLine(line) : line);
  }
}

async function sayInterrupted(shell: Shell, runId: string, cancels: boolean): Promise<void> {
  const { out } = shell;
  if (!cancels) {
    out.note(`The run goes on. To wait again: dctl wait ${runId}; to cancel it: dctl cancel ${runId}`);
    return;
  }
  const run = await shell
    .connect(shell.host())
    .call('cancelRun', { path: { run_id: runId } })
    .catch(() => undefined);
  out.note(
    run === undefined
      ? `The run could not be cancelled: dctl cancel ${runId}`
      : 'The run is being cancelled.',
  );
}
