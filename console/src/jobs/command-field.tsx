import { Field } from '../parts/field.tsx';
import { CommandVerdict, useCommandVerdict } from './command-verdict.tsx';

/** A command in a form, judged as it is typed. Once there is a verdict, it counts in place of the refusal. */
export function CommandField({
  hint,
  pointer,
  error,
  projectType,
  text,
  placeholder,
  required = false,
  onChange,
}: {
  hint?: string;
  pointer: string;
  error: unknown;
  projectType: string;
  text: string;
  placeholder: string;
  required?: boolean;
  onChange: (text: string) => void;
}) {
  const verdict = useCommandVerdict(text, projectType);
  return (
    <Field
      label="Command"
      hint={hint}
      pointer={pointer}
      error={error}
      known={verdict === undefined ? undefined : []}
    >
      {(control) => (
        <>
          <input
            {...control}
            aria-invalid={verdict?.accepted === false ? true : control['aria-invalid']}
            aria-describedby={[`${control.id}-verdict`, control['aria-describedby']].join(' ').trim()}
            className="mono"
            required={required}
            value={text}
            placeholder={placeholder}
            spellCheck={false}
            autoComplete="off"
            onChange={({ target }) => onChange(target.value)}
          />
          <div id={`${control.id}-verdict`}>
            <CommandVerdict text={text} verdict={verdict} />
          </div>
        </>
      )}
    </Field>
  );
}
