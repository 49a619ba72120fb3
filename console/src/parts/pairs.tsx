import { useId, useState } from 'react';
import { problemsAt } from './field.tsx';

/** What a stored secret is shown as, and what keeps it when it is sent back. */
export const hiddenValue = '***';

type Row = { key: number; name: string; value: string; isStored: boolean };

/** Names with values, such as variables or headers. Give it another `key` to start again from `pairs`. */
export function Pairs({
  pairs,
  what,
  namePlaceholder,
  isSecret = false,
  pointer,
  error,
  onChange,
}: {
  pairs: Record<string, string | undefined>;
  /** One of them, for its labels. */
  what: string;
  namePlaceholder: string;
  isSecret?: boolean;
  pointer: string;
  error: unknown;
  onChange: (pairs: Record<string, string>) => void;
}) {
  const id = useId();
  const [rows, setRows] = useState<Row[]>(() =>
    Object.entries(pairs).map(([name, value = ''], key) => ({
      key,
      name,
      value,
      isStored: isSecret && value === hiddenValue,
    })),
  );
  const change = (now: Row[]) => {
    setRows(now);
    onChange(
      Object.fromEntries(now.filter(({ name }) => name !== '').map(({ name, value }) => [name, value])),
    );
  };
  return (
    <>
      {rows.map((row, place) => {
        const set = (fields: Partial<Row>) => change(rows.with(place, { ...row, ...fields }));
        const problems = row.name === '' ? [] : problemsAt(error, `${pointer}/${inPointer(row.name)}`);
        const isTwice = row.name !== '' && rows.some((each) => each !== row && each.name === row.name);
        return (
          <div key={row.key}>
            <div className="line">
              <input
                className="mono"
                aria-label={`Name of ${what} ${place + 1}`}
                placeholder={namePlaceholder}
                value={row.name}
                readOnly={row.isStored}
                autoComplete="off"
                spellCheck={false}
                onChange={({ target }) => set({ name: target.value })}
              />
              <input
                className="mono"
                aria-label={`Value of ${row.name || `${what} ${place + 1}`}`}
                type={isSecret ? 'password' : 'text'}
                aria-invalid={problems.length > 0 ? true : undefined}
                aria-describedby={problems.length > 0 ? `${id}-${row.key}` : undefined}
                value={row.value}
                autoComplete={isSecret ? 'new-password' : 'off'}
                spellCheck={false}
                onFocus={({ target }) => row.isStored && target.select()}
                onChange={({ target }) => set({ value: target.value })}
              />
              <button
                type="button"
                aria-label={`Remove ${row.name || `${what} ${place + 1}`}`}
                onClick={() => change(rows.toSpliced(place, 1))}
              >
                Remove
              </button>
            </div>
            {isTwice && <p className="field-problem">Duplicate name: the last one counts.</p>}
            {problems.length > 0 && (
              <p id={`${id}-${row.key}`} className="field-problem">
                {problems.join(' ')}
              </p>
            )}
          </div>
        );
      })}
      <div>
        <button
          type="button"
          onClick={() =>
            setRows([
              ...rows,
              { key: Math.max(-1, ...rows.map(({ key }) => key)) + 1, name: '', value: '', isStored: false },
            ])
          }
        >
          Add {what}
        </button>
      </div>
    </>
  );
}

const inPointer = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1');
