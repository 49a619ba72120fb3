import type { Job } from '../../../client/operations.ts';
import { Choice, problemsAt } from '../parts/field.tsx';
import { useProjects } from '../projects/projects.ts';

type Link = Job['run_after'][number];

const statuses = ['success', 'partial', 'failed', 'error'] as const;

/** The jobs after whose runs a job runs. */
export function RunAfter({
  jobId,
  after,
  error,
  onChange,
}: {
  jobId: string;
  after: Link[];
  error: unknown;
  onChange: (after: Link[]) => void;
}) {
  const projects = useProjects();
  const others = (projects.data ?? []).flatMap((project) =>
    project.jobs
      .filter(({ id }) => id !== jobId)
      .map(({ id, name }) => ({ id, name: `${project.name} / ${name}` })),
  );
  const unused = others.filter(({ id }) => !after.some((link) => link.job_id === id));
  return (
    <fieldset className="run-after">
      <legend>Run after other jobs</legend>
      {after.map((link, place) => (
        <div key={link.job_id}>
          <div className="line">
            <select
              aria-label={`Job ${place + 1}`}
              aria-invalid={problemsAt(error, `/run_after/${place}`).length > 0 ? true : undefined}
              value={link.job_id}
              onChange={({ target }) => onChange(after.with(place, { ...link, job_id: target.value }))}
            >
              {others
                .filter(({ id }) => id === link.job_id || unused.some((each) => each.id === id))
                .map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
            </select>
            <span className="choices">
              {statuses.map((status) => (
                <Choice
                  key={status}
                  label={status}
                  checked={link.statuses.includes(status)}
                  onChange={(checked) =>
                    onChange(
                      after.with(place, {
                        ...link,
                        statuses: statuses.filter((each) =>
                          each === status ? checked : link.statuses.includes(each),
                        ),
                      }),
                    )
                  }
                />
              ))}
            </span>
            <button
              type="button"
              aria-label={`Remove job ${place + 1}`}
              onClick={() => onChange(after.toSpliced(place, 1))}
            >
              Remove
            </button>
          </div>
          {problemsAt(error, `/run_after/${place}`).map((problem) => (
            <p key={problem} className="field-problem">
              {problem}
            </p>
          ))}
        </div>
      ))}
      <button
        type="button"
        disabled={unused.length === 0}
        onClick={() => onChange([...after, { job_id: unused[0]!.id, statuses: ['success'] }])}
      >
        Add job
      </button>{' '}
      {after.length === 0 && (
        <span className="hint">Runs when one of these jobs ends with a chosen status.</span>
      )}
    </fieldset>
  );
}
