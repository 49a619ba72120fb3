import { memo } from 'react';
import { Link } from 'react-router';
import type { Run } from '../../../client/operations.ts';
import { Cell } from '../parts/rows.tsx';
import { Status } from '../parts/status.tsx';
import { Ago } from '../parts/time.tsx';
import { Took } from './took.tsx';
import { Why } from './why.tsx';

/** A run in the list. */
export const RunCells = memo(function RunCells({
  run,
  job,
  project,
  usual,
}: {
  run: Run;
  job: string;
  /** Left out where there is but one. */
  project: string | undefined;
  usual: number | undefined;
}) {
  const command = run.command_override ?? run.command;
  return (
    <>
      <Cell className="run-status">
        <Status status={run.status} reason={run.status_reason} />
        {run.status === 'running' && run.nodes_total !== null && (
          <span className="second">
            {run.nodes_done} of {run.nodes_total}
          </span>
        )}
        {run.attempt > 1 && run.status !== 'running' && <span className="second">attempt {run.attempt}</span>}
      </Cell>
      <Cell className="run-job">
        <Link to={`/runs/${run.id}`} title={run.name}>
          {job}
        </Link>
        {run.error_message === null ? (
          <code className="second" title={command}>
            {project !== undefined && `${project}: `}
            {command}
          </code>
        ) : (
          <span className="second run-error" title={run.error_message}>
            {run.error_message}
          </span>
        )}
      </Cell>
      <Cell className="run-why">
        <Why run={run} />
      </Cell>
      <Cell className="run-took">
        <Took run={run} usual={usual} />
      </Cell>
      <Cell className="run-at">
        <Ago time={run.created_at} />
      </Cell>
    </>
  );
});
