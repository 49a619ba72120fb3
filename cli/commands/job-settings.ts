import type { Answer, Asked } from '../../client/index.ts';
import type { OptionSpecs } from '../command.ts';
import { UsageError } from '../failure.ts';
import { findEnvironment } from '../find/environment.ts';
import type { FoundJob } from '../find/job.ts';
import { environmentOption } from '../options.ts';
import { formatAgo, formatSeconds, formatTime } from '../output/format.ts';
import { plain } from '../output/plain.ts';
import type { Shell } from '../shell.ts';
import { assignment, seconds, wholeNumber } from '../values.ts';

type Job = Answer<'getJob'>;
export type JobChange = Asked<'changeJob'>['body'];

const events = ['completed', 'failed', 'partial'] as const;

/** What can be set of a job, when it is made and later. */
export const jobOptions = {
  command: {
    about: 'the command to run; several run in order until one fails',
    value: 'COMMAND',
    many: true,
  },
  description: { about: 'a description', value: 'TEXT' },
  environment: { ...environmentOption, about: 'name or id of the environment it runs in' },
  cron: { about: 'the schedule: "0 6 * * *", @daily; none removes it', value: 'CRON' },
  timezone: { about: 'timezone of the schedule, such as Europe/Berlin (UTC)', value: 'ZONE' },
  timeout: { about: 'maximum duration of a run: 30m, 2h', value: 'TIME', parse: seconds },
  parallel: {
    about: 'maximum number of runs at the same time; further ones are queued',
    value: 'N',
    parse: wholeNumber(1, 1_000),
  },
  retries: {
    about: 'automatic retries of a run that could not start or lost its worker',
    value: 'N',
    parse: wholeNumber(0, 100),
  },
  webhookUrl: { about: 'where webhooks are sent when a run ends; none turns them off', value: 'URL' },
  webhookHeader: {
    about: 'a header of the webhook; replaces all earlier ones',
    value: 'NAME=VALUE',
    many: true,
    parse: assignment,
  },
  webhookEvent: {
    about: 'send the webhook only for this event',
    value: 'EVENT',
    many: true,
    choices: events,
  },
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
      throw new UsageError('The job has no schedule yet: give --cron with --timezone.');
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
    [
      'Next run',
      schedule === null
        ? null
        : `${formatTime(schedule.next_run_at, schedule.timezone)} (${formatAgo(schedule.next_run_at)})`,
    ],
    ['Problem', schedule?.problem ?? null],
    ['Timeout', formatSeconds(job.timeout_seconds)],
    ['Concurrent runs', String(job.max_parallel_runs)],
    ['Retries', job.automatic_retries.attempts === 0 ? null : String(job.automatic_retries.attempts)],
    ['Webhook', job.webhook_enabled ? job.webhook_url : null],
    ['Webhook headers', job.webhook_enabled ? Object.keys(job.webhook_headers).join(', ') || null : null],
    ['Webhook events', job.webhook_enabled ? job.webhook_events.join(', ') || 'all' : null],
  ];
  const name = plain(`${projectName}/${job.name}`);
  out.say(`${out.paint('bold', name)}${job.enabled ? '' : ' (off: it cannot be triggered)'}`);
  for (const [head, value] of rows)
    if (value !== null) out.say(`  ${out.paint('dim', head.padEnd(15))} ${plain(value)}`);
}
