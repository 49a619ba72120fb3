import type { EventRule } from '../../../client/operations.ts';

export type Condition = EventRule['conditions'][number];

export const operationSigns: Record<Condition['operation'], string> = {
  EQUAL: '=',
  NOT_EQUAL: '≠',
  GREATER_THAN: '>',
  GREATER_THAN_OR_EQUAL: '≥',
  LESS_THAN: '<',
  LESS_THAN_OR_EQUAL: '≤',
  CONTAINS: 'contains',
  IN: 'is one of',
};

/** A value as somebody would write it. */
export function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueText).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Numbers, true, false and null as they are meant; all else is text. */
export function scalarOf(text: string): string | number | boolean | null {
  const trimmed = text.trim();
  if (/^(true|false|null|-?\d+(\.\d+)?)$/.test(trimmed) && trimmed.length < 16)
    return JSON.parse(trimmed) as number | boolean | null;
  return text;
}

/** Of IN: several, with commas between them. */
export function valueOf(text: string, operation: Condition['operation']): Condition['value'] {
  if (operation !== 'IN') return scalarOf(text);
  return listOf(text).map(scalarOf);
}

export const listOf = (text: string) =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
