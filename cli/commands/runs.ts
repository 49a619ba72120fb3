import type { Run } from '../../client/index.ts';
import { command } from '../command.ts';
import { jobs } from '../completion/names.ts';
import { findJob } from '../find/job.ts';
import { findProject, projectNamed } from '../find/project.ts';
import { projectOption } from '../options.ts';
import { formatAgo, formatSeconds } from '../output/format.ts';
import { take } from '../find/take.ts';
import { statuses, styleOf } from '../runs/statuses.ts';
import { statusOf } from '../runs/describe-run.ts';
import type { Shell } from '../shell.ts';
import { timeAgo, wholeNumber } from '../values.ts';

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
    limit: { about: 'so many at most (20)', value: 'N', short: 'n', parse: wholeNumber(1, 100_000) },
    project: { ...projectOption, about: 'only of this project; that of dctl.json when left out' },
  },
  async run(shell, given) {
    const { out } = shell;
    const { status, trigger, since, until, limit = 20 } = given;
    const filters = {
      ...(await placeOf(shell, given)),
      ...(status.length === 0 ? {} : { status: status.join(',') }),
      ...(trigger.length === 0 ? {} : { triggered_by: trigger.join(',') }),
      ...(since === undefined ? {} : { created_after: since }),
      ...(until === undefined ? {} : { created_before: until }),
    };
    const query = { ...filters, limit: Math.min(limit, 200) };
    const found = await take(limit, shell.client().items('listRuns', { query }));
    out.answer(found, () => {
      if (found.length === 0) out.say('No run is like that.');
      else out.table(['RUN', 'NAME', 'STATUS', 'NODES', 'TOOK', 'WHEN', 'WHY'], found.map(rowOf));
    });
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
    run.name,
    { text: statusOf(run), style: styleOf(run.status) },
    total === null ? '' : `${Math.min(done, total)}/${total}`,
    seconds === null ? '' : formatSeconds(seconds),
    formatAgo(run.created_at),
    run.cause ?? (run.requested_by === null ? run.triggered_by : `${run.triggered_by}, ${run.requested_by}`),
  ];
}
