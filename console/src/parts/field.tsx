import { useId, type ReactNode } from 'react';
import { DctlError } from '../../../client/client.ts';

/** What a field's control needs to be known by its label, its hint and its problem. */
export interface ControlOf {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': boolean | undefined;
}

/** A control with its label above, what it is for below, and what the server said of it. */
export function Field({
  label,
  hint,
  pointer,
  error,
  known,
  whole = false,
  children,
}: {
  label: string;
  hint?: ReactNode;
  /** The JSON pointer of its value in what is sent. */
  pointer?: string | undefined;
  error?: unknown;
  /** What is known to be wrong with its value as it stands, in place of what was said when one was sent. */
  known?: string[] | undefined;
  /** Whether it takes the whole width. */
  whole?: boolean | undefined;
  children: (control: ControlOf) => ReactNode;
}) {
  const id = useId();
  const problems = known ?? (pointer === undefined ? [] : problemsAt(error, pointer));
  const described = [hint !== undefined && `${id}-hint`, problems.length > 0 && `${id}-problem`].filter(
    (each) => each !== false,
  );
  return (
    <div className={whole ? 'field whole' : 'field'}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-describedby': described.length > 0 ? described.join(' ') : undefined,
        'aria-invalid': problems.length > 0 ? true : undefined,
      })}
      {hint !== undefined && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {problems.length > 0 && (
        <p className="field-problem" id={`${id}-problem`}>
          {problems.join(' ')}
        </p>
      )}
    </div>
  );
}

/** What the server said of this field, or of what is in it. */
export function problemsAt(error: unknown, pointer: string): string[] {
  if (!(error instanceof DctlError)) return [];
  return error.problems
    .filter((each) => each.pointer === pointer || each.pointer.startsWith(`${pointer}/`))
    .map(({ detail }) => detail);
}

export function Choice({
  label,
  checked,
  onChange,
  disabled = false,
}: {
  label: ReactNode;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
}) {
  return (
    <label className="choice">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={({ target }) => onChange(target.checked)}
      />
      <span>{label}</span>
    </label>
  );
}

/** A number, or null for a field that is left empty. */
export function numberOf(text: string): number | null {
  return text.trim() === '' ? null : Number(text);
}
