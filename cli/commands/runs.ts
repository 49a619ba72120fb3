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

const triggers = ['manual', 'schedule', 'api', 'event', 'retry'] as const;

export const runs = command({
  name: 'runs',
  summary: 'What ran, the newest first',
  examples: ['dctl runs --status failed --status error --since 24h', 'dctl runs --job nightly --json'],
  options: {
    job: { about: 'only of this job', value: 'JOB', short: 'j', completes: jobs },
    status: { about: 'only with this status', value: 'STATUS', many: true, choices: statuses },
    trigger: { about: 'only those that began so', value: 'TRIGGER', many: true, choices: triggers },
    since: { about: 'only those recorded since then: 24h, 7d, 2026-11-30', value: 'TIME', parse: timeAgo },
    until: { about: 'only those recorded before', value: 'TIME', parse: timeAgo },
    limit: limitOption,
    project: { ...projectOption, about: 'only of this project; that of dctl.json when left out' },
  },
  async run(shell, given) {
    const { out } = shell;
    const { status, trigger, since, until } = given;
    const filters = {
      ...(await placeOf(shell, given)),
      ...(status.length === 0 ? {} : { status: status.join(',') }),
      ...(trigger.length === 0 ? {} : { triggered_by: trigger.join(',') }),
      ...(since === undefined ? {} : { created_after: since }),
      ...(until === undefined ? {} : { created_before: until }),
    };
    const client = shell.client();
    const found = await newest(given.limit, (page) =>
      client.items('listRuns', { query: { ...filters, ...page } }),
    );
    const heads = ['RUN', 'STATUS', 'NAME', 'WHEN', 'TOOK', 'WHY', 'NODES'];
    out.list(found, { none: 'No run is like that.', heads, row: rowOf });
  },
});

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
    run.cause ?? (run.requested_by === null ? run.triggered_by : `${run.triggered_by}, ${run.requested_by}`),
    total === null ? '' : `${Math.min(done, total)}/${total}`,
  ];
}
