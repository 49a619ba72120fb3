import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { Run } from '../../../client/operations.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Status } from '../parts/status.tsx';
import { Ago } from '../parts/time.tsx';
import { Took } from '../runs/took.tsx';
import { useNames } from '../runs/use-names.ts';
import { useUsual } from '../runs/usual.ts';
import { triggerWords } from '../runs/why.tsx';
import { RunActions } from './actions.tsx';
import { Chain } from './chain.tsx';
import { Progress } from './progress.tsx';
import { RunDeployment, RunEnvironment } from './ran-with.tsx';

/** What ran, how it is, why it ran, and what can be done. */
export function RunHead({ run }: { run: Run }) {
  const names = useNames();
  const usual = useUsual()(run);
  const project = names.projectName(run);
  const job = names.jobName(run);
  return (
    <>
      <PageHead title={run.name} trail={[['/runs', 'Runs']]}>
        <RunActions run={run} />
      </PageHead>
      <div className="run-state">
        <span className="run-state-word" role="status">
          <Status status={run.status} reason={run.status_reason} />
        </span>
        <code className="wrap">{run.command_override ?? run.command}</code>
      </div>
      {run.error_message !== null && !isOfNodes(run.error_message) && (
        <p className="run-says">{run.error_message}</p>
      )}
      <Waiting run={run} />
      <Progress run={run} />
      <dl className="facts">
        <Fact name="Job">
          <Link to={`/jobs/${run.project_id}/${run.job_id}`}>{job}</Link>
        </Fact>
        {project !== undefined && (
          <Fact name="Project">
            <Link to={`/projects/${run.project_id}`}>{project}</Link>
          </Fact>
        )}
        <Fact name="Deployment">
          <RunDeployment run={run} isProjectThere={project !== undefined} />
        </Fact>
        <Fact name="Environment">
          <RunEnvironment run={run} isProjectThere={project !== undefined} />
        </Fact>
        <Fact name="Cause">
          {run.cause ?? triggerWords[run.triggered_by]}
          {run.cause !== null && <span className="quiet"> ({triggerWords[run.triggered_by]})</span>}
        </Fact>
        {run.requested_by !== null && <Fact name="Triggered by">{run.requested_by}</Fact>}
        <Fact name="Created">
          <Ago time={run.created_at} />
        </Fact>
        {run.start_time !== null && (
          <Fact name="Duration">
            <Took run={run} usual={usual} />
          </Fact>
        )}
        {run.cancelled_by !== null && <Fact name="Cancelled by">{run.cancelled_by}</Fact>}
        {run.exit_code !== null && <Fact name="Exit code">{run.exit_code}</Fact>}
        {run.attempt > 1 && <Fact name="Attempt">{run.attempt}</Fact>}
        {Object.entries(run.metadata ?? {}).map(([name, value]) => (
          <Fact key={`metadata ${name}`} name={name}>
            {String(value)}
          </Fact>
        ))}
      </dl>
      {run.cleared_at !== null && (
        <p className="quiet">
          Log and artifacts were deleted <Ago time={run.cleared_at} />, at the end of their retention.
        </p>
      )}
      <Chain run={run} />
      <Stopped run={run} />
    </>
  );
}

/** How many nodes failed stands beside the progress bar, and each below with its own message. */
const isOfNodes = (message: string) => /^\d+ of \d+ nodes failed/.test(message);

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Why a run that is queued does not begin. */
function Waiting({ run }: { run: Run }) {
  if (run.status !== 'queued') return null;
  const isLater = run.not_before !== null && Date.parse(run.not_before) > Date.now();
  return (
    <p className="quiet">
      {isLater ? (
        <>Retry scheduled for {new Date(run.not_before!).toLocaleTimeString()}.</>
      ) : (
        'Waiting for a worker, or for another run of this job to finish.'
      )}
    </p>
  );
}

/** How the run was stopped, if it was. */
function Stopped({ run }: { run: Run }) {
  const { interruption } = run;
  if (interruption === null || interruption.signal_sent_at === null) return null;
  return (
    <details className="stopped">
      <summary>How the run was stopped</summary>
      <ul>
        <li>
          dbt was asked to stop (SIGINT) <Ago time={interruption.signal_sent_at} />
        </li>
        {interruption.kill_sent_at !== null && (
          <li>
            killed <Ago time={interruption.kill_sent_at} />: it did not stop in time
          </li>
        )}
        {interruption.container_gone_at !== null && (
          <li>
            container removed <Ago time={interruption.container_gone_at} />
          </li>
        )}
      </ul>
      {interruption.last_words.length > 0 && (
        <pre className="text" role="region" aria-label="Last output of dbt" tabIndex={0}>
          {interruption.last_words.join('\n')}
        </pre>
      )}
    </details>
  );
}
