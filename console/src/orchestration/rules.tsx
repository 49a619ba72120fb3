import { Link } from 'react-router';
import type { EventRule } from '../../../client/operations.ts';
import { Problem } from '../parts/problem.tsx';
import { useProjects } from '../projects/projects.ts';
import { useSession } from '../session.tsx';
import { operationSigns, valueText } from './condition-text.ts';
import { useRules, useSources } from './lists.ts';

/** Which events make which job run. */
export function Rules() {
  const rules = useRules();
  const sources = useSources();
  const projects = useProjects();
  const { may } = useSession();
  const jobName = ({ job_id: id }: EventRule) =>
    projects.data?.flatMap(({ jobs }) => jobs).find((job) => job.id === id)?.name ?? id;
  return (
    <section className="card">
      <div className="card-head">
        <h2>Rules</h2>
        {may('admin') && (sources.data?.length ?? 0) > 0 && (
          <Link className="button" to="/orchestration/rules/new">
            New rule
          </Link>
        )}
      </div>
      {rules.isError && <Problem error={rules.error} again={() => void rules.refetch()} />}
      {rules.data?.length === 0 && (
        <p className="empty">
          {sources.data?.length === 0
            ? 'No rules yet. Rules need a source of events: create a source first.'
            : 'No rules yet. Create one to run a job when an event arrives.'}
        </p>
      )}
      {rules.data !== undefined && rules.data.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col">Source</th>
              <th scope="col">Conditions</th>
              <th scope="col">Job</th>
            </tr>
          </thead>
          <tbody>
            {rules.data.map((rule) => (
              <tr key={rule.id}>
                <td className="wrap">
                  <Link to={`/orchestration/rules/${rule.id}`}>
                    <strong>{rule.name}</strong>
                  </Link>{' '}
                  {!rule.is_active && <span className="badge warn">disabled</span>}
                </td>
                <td className="wrap">
                  {sources.data?.find(({ id }) => id === rule.source_id)?.name ?? rule.source_id}
                </td>
                <td className="wrap">
                  {rule.conditions.length === 0 && <span className="quiet">none: every event</span>}
                  {rule.conditions.map((condition) => (
                    <code key={JSON.stringify(condition)} className="command">
                      {condition.variable_name} {operationSigns[condition.operation]}{' '}
                      {valueText(condition.value)}
                    </code>
                  ))}
                </td>
                <td className="wrap">
                  <Link to={`/jobs/${rule.project_id}/${rule.job_id}`}>{jobName(rule)}</Link>
                  {rule.command_override !== null && <code className="command">{rule.command_override}</code>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
