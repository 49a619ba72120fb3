import { useState } from 'react';
import { problemsAt } from '../parts/field.tsx';
import { operationSigns, valueOf, valueText, type Condition } from './condition-text.ts';

type Row = Pick<Condition, 'variable_name' | 'operation'> & { key: number; text: string };

/** Comparisons that all have to hold. Give it another `key` to start again from `conditions`. */
export function Conditions({
  conditions,
  placeholder,
  pointer,
  error,
  onChange,
}: {
  conditions: Condition[];
  /** What could be looked at. */
  placeholder: string;
  pointer: string;
  error: unknown;
  onChange: (conditions: Condition[]) => void;
}) {
  const [rows, setRows] = useState<Row[]>(() =>
    conditions.map(({ variable_name, operation, value }, key) => ({
      key,
      variable_name,
      operation,
      text: valueText(value),
    })),
  );
  const change = (now: Row[]) => {
    setRows(now);
    onChange(
      now.map(({ variable_name, operation, text }) => ({
        variable_name,
        operation,
        value: valueOf(text, operation),
      })),
    );
  };
  return (
    <fieldset className="field whole">
      <legend>Conditions (all must match)</legend>
      {rows.map((row, place) => {
        const set = (fields: Partial<Row>) => change(rows.with(place, { ...row, ...fields }));
        return (
          <div key={row.key}>
            <div className="line">
              <input
                className="mono"
                aria-label={`Field of condition ${place + 1}`}
                placeholder={placeholder}
                required
                spellCheck={false}
                value={row.variable_name}
                onChange={({ target }) => set({ variable_name: target.value })}
              />
              <select
                aria-label={`Operator of condition ${place + 1}`}
                value={row.operation}
                onChange={({ target }) => set({ operation: target.value as Condition['operation'] })}
              >
                {Object.entries(operationSigns).map(([operation, sign]) => (
                  <option key={operation} value={operation}>
                    {sign}
                  </option>
                ))}
              </select>
              <input
                className="mono"
                aria-label={`Value of condition ${place + 1}`}
                aria-invalid={problemsAt(error, `${pointer}/${place}`).length > 0 ? true : undefined}
                placeholder={row.operation === 'IN' ? 'orders, payments' : '0'}
                spellCheck={false}
                value={row.text}
                onChange={({ target }) => set({ text: target.value })}
              />
              <button
                type="button"
                aria-label={`Remove condition ${place + 1}`}
                onClick={() => change(rows.toSpliced(place, 1))}
              >
                Remove
              </button>
            </div>
            {problemsAt(error, `${pointer}/${place}`).map((problem) => (
              <p key={problem} className="field-problem">
                {problem}
              </p>
            ))}
          </div>
        );
      })}
      <div>
        <button
          type="button"
          onClick={() =>
            change([
              ...rows,
              {
                key: Math.max(-1, ...rows.map(({ key }) => key)) + 1,
                variable_name: '',
                operation: 'EQUAL',
                text: '',
              },
            ])
          }
        >
          Add condition
        </button>
      </div>
    </fieldset>
  );
}
