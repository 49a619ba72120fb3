import type { ComponentProps, InputHTMLAttributes } from 'react';
import { Field } from './field.tsx';

type TextFieldProps = Omit<ComponentProps<typeof Field>, 'children'> &
  Omit<InputHTMLAttributes<HTMLInputElement>, 'id' | 'onChange'> & { onChange: (text: string) => void };

/** A field of one line. What is not the field's goes to its input. */
export function TextField({ label, hint, pointer, error, known, whole, onChange, ...input }: TextFieldProps) {
  return (
    <Field label={label} hint={hint} pointer={pointer} error={error} known={known} whole={whole}>
      {(control) => <input {...control} {...input} onChange={({ target }) => onChange(target.value)} />}
    </Field>
  );
}
