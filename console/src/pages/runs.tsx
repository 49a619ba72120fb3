import { useCallback, useState } from 'react';
import { Link } from 'react-router';
import { Problem } from '../parts/problem.tsx';
import { Rows } from '../parts/rows.tsx';
import { FilterBar } from '../runs/filter-bar.tsx';
import { useFilters } from '../runs/filters.ts';
import { RunCells } from '../runs/run-cells.tsx';
import { useNames } from '../runs/use-names.ts';
import { useFresh, useRuns } from '../runs/use-runs.ts';
import { useUsual } from '../runs/usual.ts';

const columns = [
  { name: 'Status', width: '104px' },
  { name: 'Job', width: 'minmax(0, 5fr)' },
  { name: 'Cause', width: 'minmax(0, 3fr)' },
  { name: 'Duration', width: '150px' },
  { name: 'Created', width: '140px' },
];

/** All runs, newest first, as they are now. What is looked for stands in the address. */
export function Runs() {
  const { filters, isNarrowed, change, clear } = useFilters();
  const names = useNames();
  const { known, older, loadOlder } = useRuns(filters);
  const runs = known.data?.runs ?? [];
  const hasOlder = typeof known.data?.next === 'string';

  const [inView, setInView] = useState({ from: 0, to: 20 });
  const fresh = useFresh(runs, inView);
  const usual = useUsual();
  const onRange = useCallback(
    ({ from, to, isScrolling }: { from: number; to: number; isScrolling: boolean }) => {
      if (!isScrolling) setInView((now) => (now.from === from && now.to === to ? now : { from, to }));
      if (to > runs.length - 40 && hasOlder && older.error === null) void loadOlder();
    },
    [runs.length, hasOlder, older.error, loadOlder],
  );
  const going = runs.filter(({ status }) => status === 'running').length;

  return (
    <>
      <title>Runs · dctl</title>
      <h1>Runs</h1>
      <FilterBar {...{ filters, names, isNarrowed, change, clear }} />
      {known.isError && <Problem error={known.error} again={() => void known.refetch()} />}
      {known.isPending && <p className="quiet">Loading…</p>}
      <p role="status" className="unseen">
        {known.isSuccess &&
          `${runs.length}${hasOlder ? ' or more runs' : runs.length === 1 ? ' run' : ' runs'}, ${going} running`}
      </p>
      {known.isSuccess && runs.length === 0 && (
        <p className="empty">
          {isNarrowed ? (
            'No runs match these filters.'
          ) : (
            <>
              No runs yet. Open a <Link to="/jobs">job</Link> and choose “Run now”, or give it a schedule.
            </>
          )}
        </p>
      )}
      {runs.length > 0 && (
        <Rows
          label="Runs"
          columns={columns}
          count={runs.length}
          total={hasOlder ? -1 : runs.length}
          height={58}
          narrowHeight={112}
          rowClass={() => 'run-row'}
          onRange={onRange}
          row={(index) => {
            const listed = runs[index]!;
            const run = fresh.get(listed.id) ?? listed;
            const project = names.projects.length > 1 ? names.projectName(run) : undefined;
            const cells = (
              <RunCells run={run} job={names.jobName(run)} project={project} usual={usual(run)} />
            );
            return { key: run.id, cells };
          }}
        />
      )}
      {older.isComing && <p className="quiet">Loading older runs…</p>}
      {older.error !== null && <Problem error={older.error} again={() => void loadOlder()} />}
    </>
  );
}
