import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Deployment, Preparation } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Action, ConfirmedAction } from '../parts/action.tsx';
import { Problem } from '../parts/problem.tsx';
import { Ago } from '../parts/time.tsx';
import { useSession } from '../session.tsx';
import { shortDigest } from './short-digest.ts';

const looks: Record<Preparation['state'], string> = {
  pending: '',
  preparing: 'busy',
  ready: 'good',
  failed: 'bad',
};

/** A version of the code: who deployed it and when, what it was prepared for, and the way back to it. */
export function DeploymentEntry({
  deployment,
  isOlder,
}: {
  deployment: Deployment;
  /** Than the one that is active. */
  isOlder: boolean;
}) {
  const { may } = useSession();
  const queries = useQueryClient();
  const path = { project_id: deployment.project_id, deployment_id: deployment.id };
  const short = shortDigest(deployment.digest);
  const refresh = () =>
    Promise.all(
      [
        ['deployments', path.project_id],
        ['deployment', deployment.id],
        ['project', path.project_id],
        ['projects'],
      ].map((queryKey) => queries.invalidateQueries({ queryKey })),
    );
  return (
    <article className="deployment" aria-label={`Deployment ${short}`}>
      <div className="card-head">
        <div>
          <code title={deployment.digest}>{short}</code>{' '}
          {deployment.is_current && <span className="badge good">active</span>}
          <div className="quiet">
            <Ago time={deployment.created_at} /> by {deployment.deployed_by}, {deployment.file_count} files,{' '}
            {sizeText(deployment.size_bytes)}
          </div>
        </div>
        {may('admin') && (
          <div className="actions">
            {!deployment.is_current && deployment.pruned_at === null && (
              <ConfirmedAction
                name={isOlder ? 'Roll back' : 'Activate'}
                about={short}
                className="primary"
                question={isOlder ? `Roll back to ${short}?` : `Activate ${short}?`}
                run={async () => {
                  await api().call('activateDeployment', { path });
                  await refresh();
                }}
              >
                <p>New runs use this deployment. Runs that already exist are not affected.</p>
              </ConfirmedAction>
            )}
            {deployment.pruned_at === null && (
              <Action
                name="Prepare again"
                about={short}
                run={async () => {
                  await api().call('prepareDeployment', { path });
                  await refresh();
                }}
              />
            )}
          </div>
        )}
      </div>
      {deployment.preparations.map((each) => (
        <PreparationLine
          key={`${each.environment_id} ${each.options.join(' ')}`}
          preparation={each}
          deployment={deployment}
        />
      ))}
    </article>
  );
}

function PreparationLine({ preparation, deployment }: { preparation: Preparation; deployment: Deployment }) {
  const [isOpen, setOpen] = useState(false);
  const { environment, options, state, error_message: failure, dbt_version: version } = preparation;
  return (
    <details className="preparation" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <span className={`badge ${looks[state]}`}>{state}</span> for {environment}
        {options.length > 0 && (
          <>
            {' '}
            with <code>{options.join(' ')}</code>
          </>
        )}{' '}
        {version !== null && <span className="quiet">dbt {version}</span>}
        {failure !== null && <span className="field-problem">{failure.split('\n')[0]}</span>}
      </summary>
      {isOpen && <Output deployment={deployment} preparation={preparation} />}
    </details>
  );
}

/** The end of what was printed while a deployment was prepared. */
function Output({ deployment, preparation }: { deployment: Deployment; preparation: Preparation }) {
  const { data, error } = useQuery({
    queryKey: ['deployment', deployment.id, preparation.state],
    queryFn: ({ signal }) =>
      api().call(
        'getDeployment',
        { path: { project_id: deployment.project_id, deployment_id: deployment.id } },
        { signal },
      ),
  });
  if (error !== null) return <Problem error={error} />;
  const found = data?.preparations.find(
    ({ environment_id: id, options }) =>
      id === preparation.environment_id && options.join(' ') === preparation.options.join(' '),
  );
  const text = [preparation.error_message, found?.output].filter(Boolean).join('\n\n');
  return (
    <pre className="text" role="region" tabIndex={0} aria-label="Output">
      {text === '' ? 'No output.' : text}
    </pre>
  );
}

export function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const kilobytes = bytes / 1_000;
  return kilobytes < 1_000 ? `${kilobytes.toFixed(1)} kB` : `${(kilobytes / 1_000).toFixed(1)} MB`;
}
