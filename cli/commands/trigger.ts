import { randomUUID } from 'node:crypto';
import { command } from '../command.ts';
import { type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { findJob, type FoundJob } from '../find/job.ts';
import { jobArgument, projectOption, waitOptions } from '../options.ts';
import { plain } from '../output/plain.ts';
import { runAddress, waitForEnd } from '../runs/wait.ts';
import type { Shell } from '../shell.ts';
import { assignment } from '../values.ts';

export const trigger = command({
  name: 'trigger',
  summary: 'Run a job now',
  details: 'With --wait or --follow the exit code is the result of the run.',
  examples: [
    'dctl trigger nightly --follow',
    'dctl trigger nightly --select orders+ --wait --cause "orders were loaded"',
    'dctl trigger shop/nightly --command "dbt test --select orders"',
  ],
  arguments: { job: jobArgument },
  options: {
    select: { about: "dbt's --select, added to the job's command", value: 'WORDS', many: true, short: 's' },
    exclude: { about: "dbt's --exclude, added to the job's command", value: 'WORDS', many: true },
    command: { about: "run this instead of the job's command", value: 'COMMAND' },
    cause: { about: 'why the run is triggered; shown with it', value: 'TEXT' },
    meta: { about: 'metadata to keep with the run', value: 'NAME=VALUE', many: true, parse: assignment },
    key: { about: 'idempotency key: a second trigger with it starts no second run', value: 'KEY' },
    ...waitOptions,
    project: projectOption,
  },
  async run(shell, given) {
    const { wait, follow, cancelOnInterrupt, cause, meta } = given;
    const found = await findJob(shell, given.job, given.project);
    const override = await overrideOf(shell, found, given);
    const triggered = await shell.client().call(
      'triggerRun',
      {
        path: found.path,
        body: {
          ...(override === undefined ? {} : { command_override: override }),
          ...(cause === undefined ? {} : { cause }),
          ...(meta.length === 0 ? {} : { metadata: metadataOf(meta) }),
        },
      },
      // A call whose answer is lost can be made again: it makes no second run.
      { headers: { 'idempotency-key': given.key ?? randomUUID() } },
    );
    const isWaiting = wait || follow;
    return sayTriggered(shell, triggered, isWaiting, () =>
      waitForEnd(shell, triggered.job_run_id, { follow, cancelOnInterrupt }),
    );
  },
});

/** Says which run began, and stays with it if that is wanted. */
export async function sayTriggered(
  shell: Shell,
  triggered: { job_run_id: string; job_name: string },
  isWaiting: boolean,
  wait: () => Promise<ExitCode>,
): Promise<ExitCode | void> {
  const { out } = shell;
  const { job_run_id: runId, job_name: name } = triggered;
  if (isWaiting) {
    out.note(`${plain(name)} ${out.paint('dim', runId)}`);
    return wait();
  }
  out.answer(triggered, () => {
    out.say(plain(name));
    out.say(`  ${out.paint('dim', 'follow it:')} dctl logs -f ${runId}`);
    out.say(`  ${out.paint('dim', 'see it:   ')} ${runAddress(shell, runId)}`);
  });
}

async function overrideOf(
  shell: Shell,
  { path, job }: FoundJob,
  { select, exclude, command: given }: { select: string[]; exclude: string[]; command: string | undefined },
): Promise<string | undefined> {
  if (select.length + exclude.length === 0) return given;
  if (given !== undefined)
    throw new UsageError('Put --select and --exclude into --command, or leave --command out.');
  const { commands } = await shell.client().call('getJob', { path });
  const [only = '', ...others] = commands;
  if (others.length > 0)
    throw new UsageError(`${job.name} has several commands: give the one to run with --command.`);
  if (/(^|\s)(-s|-m|--select|--models|--exclude|--selector)(\s|=|$)/.test(only))
    throw new UsageError(
      `The job's command has a selection already (${only}): give the whole command with --command.`,
    );
  return [only, ...wordsOf('--select', select), ...wordsOf('--exclude', exclude)].join(' ');
}

function wordsOf(option: string, given: string[]): string[] {
  const words = given.flatMap((each) => each.split(/\s+/)).filter((word) => word !== '');
  return words.length === 0 ? [] : [option, ...words.map(quoted)];
}

/** As the server reads a command: plain words as they are, and others between quotes. */
export function quoted(word: string): string {
  if (/^[\w:+@.,*/=~^-]+$/.test(word)) return word;
  if (!word.includes("'")) return `'${word}'`;
  return `"${word.replace(/["\\]/g, '\\$&')}"`;
}

/** Numbers and booleans travel as what they are. */
function metadataOf(given: [name: string, value: string][]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    given.map(([name, value]) => {
      if (value === 'true' || value === 'false') return [name, value === 'true'];
      return [name, /^-?(0|[1-9]\d{0,14})(\.\d{1,6})?$/.test(value) ? Number(value) : value];
    }),
  );
}
