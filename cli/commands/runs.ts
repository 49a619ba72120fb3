import type { Run } from '../../client/index.ts';
import { command } from '../command.ts';
import { jobs } from '../completion/names.ts';
import { findJob } from '../find/job.ts';
import { findProject, projectNamed } from '../find/project.ts';
import { limitOption, projectOption } from '../options.ts';
import { formatAgo, formatSeconds } from '../output/format.ts';
import { newest } from '../find/take.ts';
import { statuses, styleOf } from '../runs/statuses.ts';
import { statusOf } from '../runs/describe-run.ts';
import type { Shell } from '../shell.ts';
import { timeAgo } from '../values.ts';

/** `cancelled` is no status of its own: it is why a run is `error`. */
const choices = [...statuses, 'cancelled'] as const;
const triggers = ['manual', 'schedule', 'api', 'event', 'retry'] as const;

export const runs = command({
  name: 'runs',
  summary: 'The runs, newest first',
  examples: ['dctl runs --status failed --status error --since 24h', 'dctl runs --job nightly --json'],
  options: {
    job: { about: 'only runs of this job', value: 'JOB', short: 'j', completes: jobs },
    status: { about: 'only runs with this status', value: 'STATUS', many: true, choices },
    trigger: { about: 'only runs triggered this way', value: 'TRIGGER', many: true, choices: triggers },
    since: { about: 'only runs created since then: 24h, 7d, 2026-11-30', value: 'TIME', parse: timeAgo },
    until: { about: 'only runs created before', value: 'TIME', parse: timeAgo },
    limit: limitOption,
    project: { ...projectOption, about: 'only of this project; that of dctl.json when left out' },
  },
  async run(shell, given) {
    const { out } = shell;
    const { status, trigger, since, until } = given;
    const asked = new Set(status.map((each) => (each === 'cancelled' ? 'error' : each)));
    const filters = {
      ...(await placeOf(shell, given)),
      ...(status.length === 0 ? {} : { status: [...asked].join(',') }),
      ...(trigger.length === 0 ? {} : { triggered_by: trigger.join(',') }),
      ...(since === undefined ? {} : { created_after: since }),
      ...(until === undefined ? {} : { created_before: until }),
    };
    const client = shell.client();
    const isCancelledOnly = status.includes('cancelled') && !status.includes('error');
    const found = await newest(given.limit, (page) => {
      const all = client.items('listRuns', { query: { ...filters, ...page } });
      return isCancelledOnly ? withoutOtherErrors(all) : all;
    });
    const heads = ['RUN', 'STATUS', 'NAME', 'WHEN', 'DURATION', 'CAUSE', 'TRIGGERED BY', 'NODES'];
    out.list(found, { none: 'No runs match.', heads, row: rowOf });
  },
});

async function* withoutOtherErrors(listed: AsyncIterable<Run>): AsyncGenerator<Run, void> {
  for await (const run of listed) if (run.status !== 'error' || run.status_reason === 'cancelled') yield run;
}

async function placeOf(
  shell: Shell,
  { job, project }: { job: string | undefined; project: string | undefined },
): Promise<{ job_id?: string; project_id?: string }> {
  if (job !== undefined) return { job_id: (await findJob(shell, job, project)).job.id };
  const named = project ?? projectNamed(shell, shell.folder);
  return named === undefined ? {} : { project_id: (await findProject(shell, named)).id };
}

function rowOf(run: Run) {
  const { nodes_total: total, nodes_done: done, duration_seconds: seconds } = run;
  return [
    run.id,
    { text: statusOf(run), style: styleOf(run.status) },
    run.name,
    formatAgo(run.created_at),
    seconds === null ? '' : formatSeconds(seconds),
    run.cause ?? run.triggered_by,
    run.requested_by,
    total === null ? '' : `${Math.min(done, total)}/${total}`,
  ];
}
