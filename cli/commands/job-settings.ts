import type { Answer, Asked } from '../../client/index.ts';
import type { OptionSpecs } from '../command.ts';
import { UsageError } from '../failure.ts';
import { findEnvironment } from '../find/environment.ts';
import type { FoundJob } from '../find/job.ts';
import { environmentOption } from '../options.ts';
import { formatAgo, formatSeconds } from '../output/format.ts';
import { plain } from '../output/plain.ts';
import type { Shell } from '../shell.ts';
import { assignment, seconds, wholeNumber } from '../values.ts';

type Job = Answer<'getJob'>;
export type JobChange = Asked<'changeJob'>['body'];

const events = ['completed', 'failed', 'partial'] as const;

/** What can be set of a job, when it is made and later. */
export const jobOptions = {
  command: {
    about: 'what it runs; several run in order up to the first that fails',
    value: 'COMMAND',
    many: true,
  },
  description: { about: 'for people', value: 'TEXT' },
  environment: { ...environmentOption, about: 'name or id of the environment it runs in' },
  cron: { about: 'when it runs by itself: "0 6 * * *", @daily; none: not at all', value: 'CRON' },
  timezone: { about: 'where the clock of the schedule hangs: Europe/Berlin (UTC)', value: 'ZONE' },
  timeout: { about: 'a run that takes longer is ended: 30m, 2h', value: 'TIME', parse: seconds },
  parallel: { about: 'so many runs at once; further ones wait', value: 'N', parse: wholeNumber(1, 1_000) },
  retries: {
    about: 'of runs that fail through no fault of their own',
    value: 'N',
    parse: wholeNumber(0, 100),
  },
  webhookUrl: { about: 'where to tell of the end of each run; none: nowhere', value: 'URL' },
  webhookHeader: {
    about: 'sent along with the webhook; they replace those of before',
    value: 'NAME=VALUE',
    many: true,
    parse: assignment,
  },
  webhookEvent: { about: 'only this end is told', value: 'EVENT', many: true, choices: events },
} as const satisfies OptionSpecs;

interface GivenSettings {
  command: string[];
  description: string | undefined;
  environment: string | undefined;
  cron: string | undefined;
  timezone: string | undefined;
  timeout: number | undefined;
  parallel: number | undefined;
  retries: number | undefined;
  webhookUrl: string | undefined;
  webhookHeader: [string, string][];
  webhookEvent: (typeof events)[number][];
}

/** The options as the API takes them. `now`: the job as it is, where there is one. */
export async function settingsFrom(
  shell: Shell,
  project: FoundJob['project'],
  given: GivenSettings,
  now: Job | undefined,
): Promise<JobChange> {
  const { command, description, environment, timeout, parallel, retries, webhookUrl } = given;
  const [first, ...others] = command;
  const schedule = scheduleFrom(given, now);
  return {
    ...(first === undefined
      ? {}
      : others.length === 0
        ? { command: first }
        : { commands: [first, ...others] }),
    ...(description === undefined ? {} : { description }),
    ...(environment === undefined
      ? {}
      : { environment_id: (await findEnvironment(shell, project, environment)).id }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(timeout === undefined ? {} : { timeout_seconds: timeout }),
    ...(parallel === undefined ? {} : { max_parallel_runs: parallel }),
    ...(retries === undefined ? {} : { automatic_retries: { attempts: retries } }),
    ...(webhookUrl === undefined
      ? {}
      : webhookUrl === 'none'
        ? { webhook_enabled: false }
        : { webhook_enabled: true, webhook_url: webhookUrl }),
    ...(given.webhookHeader.length === 0 ? {} : { webhook_headers: Object.fromEntries(given.webhookHeader) }),
    ...(given.webhookEvent.length === 0 ? {} : { webhook_events: given.webhookEvent }),
  };
}

function scheduleFrom(
  { cron, timezone }: Pick<GivenSettings, 'cron' | 'timezone'>,
  now: Job | undefined,
): JobChange['schedule'] | undefined {
  if (cron === 'none') return null;
  const before = now?.schedule ?? undefined;
  const expression = cron ?? (timezone === undefined ? undefined : before?.cron);
  if (expression === undefined) {
    if (timezone !== undefined)
      throw new UsageError('Write --cron along with --timezone: there is no schedule yet.');
    return undefined;
  }
  const zone = timezone ?? before?.timezone;
  return {
    cron: expression,
    ...(zone === undefined ? {} : { timezone: zone }),
    ...(before === undefined ? {} : { missed: before.missed }),
  };
}

export function sayJob({ out }: Shell, job: Job, projectName: string): void {
  const { schedule } = job;
  const rows: [string, string | null][] = [
    ['Id', job.id],
    ['Description', job.description === '' ? null : job.description],
    ...job.commands.map((command, index): [string, string] => [index === 0 ? 'Command' : '', command]),
    ['Schedule', schedule === null ? null : `${schedule.cron} ${schedule.timezone}`],
    ['Next', schedule === null ? null : `${schedule.next_run_at} (${formatAgo(schedule.next_run_at)})`],
    ['Problem', schedule?.problem ?? null],
    ['Timeout', formatSeconds(job.timeout_seconds)],
    ['In parallel', String(job.max_parallel_runs)],
    ['Retries', job.automatic_retries.attempts === 0 ? null : String(job.automatic_retries.attempts)],
    ['Webhook', job.webhook_enabled ? job.webhook_url : null],
    ['Headers', job.webhook_enabled ? Object.keys(job.webhook_headers).join(', ') || null : null],
    ['Told of', job.webhook_enabled ? job.webhook_events.join(', ') || 'every end' : null],
  ];
  const name = plain(`${projectName}/${job.name}`);
  out.say(`${out.paint('bold', name)}${job.enabled ? '' : ' (off: it takes no triggers)'}`);
  for (const [head, value] of rows)
    if (value !== null) out.say(`  ${out.paint('dim', head.padEnd(11))} ${plain(value)}`);
}
