import { useId } from 'react';
import { problemsAt } from '../parts/field.tsx';
import { CommandVerdict, useCommandVerdict } from './command-verdict.tsx';

/** A job's commands, each judged as it is typed. Commands run in order and stop at the first failure. */
export function Commands({
  commands,
  projectType,
  error,
  onChange,
}: {
  commands: string[];
  projectType: string;
  error: unknown;
  onChange: (commands: string[]) => void;
}) {
  return (
    <fieldset className="field whole">
      <legend>{commands.length > 1 ? 'Commands' : 'Command'}</legend>
      {commands.map((command, place) => (
        <Command
          // A command has no name but its place.
          key={place}
          label={commands.length > 1 ? `Command ${place + 1}` : 'Command'}
          text={command}
          projectType={projectType}
          problems={problemsAt(error, `/commands/${place}`)}
          onChange={(text) => onChange(commands.with(place, text))}
          onRemove={commands.length > 1 ? () => onChange(commands.toSpliced(place, 1)) : undefined}
        />
      ))}
      <div className="actions">
        <button type="button" onClick={() => onChange([...commands, ''])}>
          Add command
        </button>
        {commands.length > 1 && (
          <span className="hint">Commands run in order and stop at the first failure.</span>
        )}
      </div>
    </fieldset>
  );
}

function Command({
  label,
  text,
  projectType,
  problems,
  onChange,
  onRemove,
}: {
  label: string;
  text: string;
  projectType: string;
  problems: string[];
  onChange: (text: string) => void;
  onRemove: (() => void) | undefined;
}) {
  const id = useId();
  const verdict = useCommandVerdict(text, projectType);
  return (
    <div>
      <div className="line">
        <input
          className="mono"
          aria-label={label}
          aria-describedby={id}
          aria-invalid={verdict?.accepted === false || problems.length > 0 ? true : undefined}
          required
          value={text}
          spellCheck={false}
          autoComplete="off"
          onChange={({ target }) => onChange(target.value)}
        />
        {onRemove !== undefined && (
          <button type="button" aria-label={`Remove ${label.toLowerCase()}`} onClick={onRemove}>
            Remove
          </button>
        )}
      </div>
      <div id={id}>
        <CommandVerdict text={text} verdict={verdict} />
        {verdict === undefined && problems.length > 0 && (
          <p className="field-problem">{problems.join(' ')}</p>
        )}
      </div>
    </div>
  );
}
