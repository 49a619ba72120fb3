import type { Answer } from '../../client/index.ts';
import { command } from '../command.ts';
import { findJob } from '../find/job.ts';
import { jobArgument, projectOption } from '../options.ts';
import { formatSeconds } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { plain } from '../output/plain.ts';
import { styleOf } from '../runs/statuses.ts';
import { wholeNumber } from '../values.ts';

const heights = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

export const jobsTrends = command({
  name: 'jobs trends',
  summary: 'Success rate, durations and slowest nodes of the last runs of a job',
  arguments: { job: jobArgument },
  options: {
    runs: { about: 'how many of the last runs', value: 'N', short: 'n', parse: wholeNumber(1, 200) },
    project: projectOption,
  },
  async run(shell, given) {
    const { out } = shell;
    const { path, project, job } = await findJob(shell, given.job, given.project);
    const query = given.runs === undefined ? {} : { runs: given.runs };
    const trends = await shell.client().call('getJobTrends', { path, query });
    out.answer(trends, () => {
      out.say(out.paint('bold', plain(`${project.name}/${job.name}`)));
      if (trends.runs.length === 0) out.say('  No run has ended yet.');
      else sayTrends(out, trends);
    });
  },
});

function sayTrends(out: Output, trends: Answer<'getJobTrends'>): void {
  const { runs, counts, success_rate: rate, usual_duration_seconds: usual, slowest_nodes: slowest } = trends;
  const ends = Object.entries(counts).filter(([, count]) => count > 0);
  const rows: [string, string][] = [
    ['Runs', `${runs.length}: ${ends.map(([status, count]) => `${count} ${status}`).join(', ')}`],
    ['Success', rate === null ? '' : `${Math.round(rate * 100)} %`],
    ['Usually', usual === null ? '' : formatSeconds(usual)],
    ['Durations', barsOf(runs.toReversed(), out)],
  ];
  for (const [head, value] of rows)
    if (value !== '') out.say(`  ${out.paint('dim', head.padEnd(11))} ${value}`);
  if (slowest.length === 0) return;
  out.say();
  out.table(
    ['SLOWEST', 'KIND', 'USUALLY', 'LONGEST', 'RUNS'],
    slowest
      .slice(0, 10)
      .map(({ unique_id: id, resource_type: type, usual_seconds, longest_seconds, runs: count }) => [
        id.split('.')[2] ?? id,
        type,
        formatSeconds(usual_seconds),
        formatSeconds(longest_seconds),
        count,
      ]),
  );
}

/** A bar for each run, the newest at the right, in the colour of how it ended. */
function barsOf(runs: Answer<'getJobTrends'>['runs'], out: Output): string {
  const shown = runs.slice(-Math.min(60, out.columns - 15));
  const longest = Math.max(...shown.map(({ duration_seconds: seconds }) => seconds ?? 0));
  return shown
    .map(({ status, duration_seconds: seconds }) => {
      const share = longest === 0 ? 0 : (seconds ?? 0) / longest;
      return out.paint(styleOf(status), heights[Math.ceil(share * (heights.length - 1))]!);
    })
    .join('');
}
