import type { Names } from './use-names.ts';
import { statuses, triggers, type Filters } from './filters.ts';
import { triggerWords } from './why.tsx';

const spanWords = [
  ['', 'all time'],
  ['1h', 'last hour'],
  ['24h', 'last 24 hours'],
  ['7d', 'last 7 days'],
  ['30d', 'last 30 days'],
] as const;

/** What the list is narrowed to. Each choice holds at once. */
export function FilterBar({
  filters,
  names,
  isNarrowed,
  change,
  clear,
}: {
  filters: Filters;
  names: Names;
  isNarrowed: boolean;
  change: (changed: Partial<Filters>) => void;
  clear: () => void;
}) {
  const { projects } = names;
  const shown = filters.project === '' ? projects : projects.filter(({ id }) => id === filters.project);
  const jobs = shown.flatMap(({ name, jobs: its }) => its.map((job) => ({ ...job, project: name })));
  const isUnknownJob = filters.job !== '' && !jobs.some(({ id }) => id === filters.job);
  return (
    <div className="run-filters" role="group" aria-label="Filters">
      <div className="chips" role="group" aria-label="Status">
        {statuses.map((status) => {
          const isOn = filters.status.includes(status);
          const others = filters.status.filter((each) => each !== status);
          return (
            <button
              key={status}
              type="button"
              aria-pressed={isOn}
              className={`chip status-${status}`}
              onClick={() => change({ status: isOn ? others : [...others, status] })}
            >
              {status}
            </button>
          );
        })}
      </div>
      <label>
        <span>Project</span>
        <select value={filters.project} onChange={({ target }) => change({ project: target.value, job: '' })}>
          <option value="">all</option>
          {projects.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>Job</span>
        <select value={filters.job} onChange={({ target }) => change({ job: target.value })}>
          <option value="">all</option>
          {isUnknownJob && <option value={filters.job}>deleted job</option>}
          {jobs.map(({ id, name, project }) => (
            <option key={id} value={id}>
              {shown.length > 1 ? `${project}: ${name}` : name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>Trigger</span>
        <select value={filters.trigger} onChange={({ target }) => change({ trigger: target.value })}>
          <option value="">all</option>
          {triggers.map((each) => (
            <option key={each} value={each}>
              {triggerWords[each]}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>Created</span>
        <select
          value={filters.since}
          onChange={({ target }) => change({ since: target.value, from: '', until: '' })}
        >
          {spanWords.map(([span, word]) => (
            <option key={span} value={span}>
              {span === '' && (filters.from !== '' || filters.until !== '') ? 'custom' : word}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>From</span>
        <input
          type="date"
          value={filters.from}
          max={filters.until}
          onChange={({ target }) => change({ from: target.value, since: '' })}
        />
      </label>
      <label>
        <span>To</span>
        <input
          type="date"
          value={filters.until}
          min={filters.from}
          onChange={({ target }) => change({ until: target.value, since: '' })}
        />
      </label>
      {isNarrowed && (
        <button type="button" onClick={clear}>
          Clear filters
        </button>
      )}
    </div>
  );
}
