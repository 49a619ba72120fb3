import type { Context } from '../context.ts';
import { findSection } from '../runs/log-sections.ts';
import { readStored } from '../runs/logs.ts';
import type { StepLogs } from './run-steps.ts';
import type { StoredRun } from './run-store.ts';

/** Of all logs in an answer together: each step has its part, and of that the end. */
const maxBytes = 1_000_000;

/** What the run's steps printed. Null: nobody asked for it. */
export async function readStepLogs(
  context: Context,
  run: StoredRun,
  includeRelated: string[],
  signal: AbortSignal,
): Promise<StepLogs | null> {
  const debug = includeRelated.includes('debug_logs');
  if (!debug && !includeRelated.includes('run_steps')) return null;
  const share = Math.floor(maxBytes / Math.max(1, run.begun.length));
  const texts = new Map<number, string>();
  for (const { number } of run.begun) {
    const section = await findSection(context, run.id, number);
    texts.set(number, await endOf(context, run, section, { share, signal }));
  }
  return { texts, debug };
}

async function endOf(
  context: Context,
  run: StoredRun,
  { from, to }: { from: number | null; to: number | null },
  { share, signal }: { share: number; signal: AbortSignal },
): Promise<string> {
  if (run.clearedAt !== null) return "The log was removed, as the organization's retention says.";
  const end = to ?? run.logBytes;
  if (from === null || end <= from) return 'Nothing is kept of what this command printed.';
  const begin = Math.max(from, end - share);
  const pieces: Buffer[] = [];
  for await (const piece of readStored(context, run.id, { from: begin, to: end, signal })) pieces.push(piece);
  const text = Buffer.concat(pieces).toString('utf8');
  if (begin === from) return text;
  // The first line has lost its beginning, and maybe half a letter.
  const whole = text.slice(text.indexOf('\n') + 1);
  return `[The log is longer: these are its last ${share} bytes. The whole of it is in our own API.]\n${whole}`;
}
