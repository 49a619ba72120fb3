import { jsonPointer, type FieldProblem } from './errors.ts';

/** `${{scope.name}}` in a text. There is no more to the language than that. */
export interface Placeholder {
  scope: string;
  name: string;
}

/** Says what is wrong with a placeholder, in a sentence with what to write instead; null when nothing is. */
export type PlaceholderRule = (placeholder: Placeholder) => string | null;

const opening = '${{';
// No longer than any name: where nothing closes them, each of many is not looked for to the end of the text.
const any = /\$\{\{(.{0,300}?)\}\}/gs;
const whole = /^\s*([A-Za-z_]+)\.([\w-]+(?:\.[\w-]+)*)\s*$/;

/** Everything that keeps the texts in a JSON value from being templates, each with its place below `pointer`. */
export function templateProblems(
  value: unknown,
  pointer: string,
  problemOf: PlaceholderRule,
): FieldProblem[] {
  if (typeof value === 'string') return textProblems(value, problemOf).map((detail) => ({ pointer, detail }));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    const place = pointer + jsonPointer([key]);
    const inKey = key.includes(opening)
      ? [{ pointer: place, detail: 'Write the name without ${{...}}: only values are templates.' }]
      : [];
    return [...inKey, ...templateProblems(each, place, problemOf)];
  });
}

/** In their order. What is not well formed is left out. */
export function placeholdersIn(text: string): Placeholder[] {
  return [...text.matchAll(any)].flatMap(([, inner = '']) => parse(inner) ?? []);
}

/** Those of every text in a JSON value. */
export function placeholdersInAll(value: unknown): Placeholder[] {
  if (typeof value === 'string') return placeholdersIn(value);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(placeholdersInAll) : [];
}

/**
 * Puts a value in place of each placeholder, once: what comes with a value is never a template itself. The template has
 * passed `templateProblems`.
 */
export function render(text: string, valueOf: (placeholder: Placeholder) => string): string {
  return text.replace(any, (all, inner: string) => {
    const placeholder = parse(inner);
    return placeholder === null ? all : valueOf(placeholder);
  });
}

/** The same in every text of a JSON value. Keys stay as they are. */
export function renderAll(value: unknown, valueOf: (placeholder: Placeholder) => string): unknown {
  if (typeof value === 'string') return render(value, valueOf);
  if (Array.isArray(value)) return value.map((each) => renderAll(each, valueOf));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, renderAll(each, valueOf)]));
}

function textProblems(text: string, problemOf: PlaceholderRule): string[] {
  const found = [...text.matchAll(any)].map(([all, inner = '']) => {
    const placeholder = parse(inner);
    return placeholder === null
      ? `${shown(all)} is not a placeholder: write \${{scope.name}}, such as \${{run.ROWS}}.`
      : problemOf(placeholder);
  });
  const isOpen = text.replace(any, '').includes(opening);
  const problems = found.filter((detail) => detail !== null);
  return isOpen ? [...problems, 'There is a ${{ that no }} follows: close it, or leave it out.'] : problems;
}

function parse(inner: string): Placeholder | null {
  const [, scope, name] = whole.exec(inner) ?? [];
  return scope === undefined || name === undefined ? null : { scope, name };
}

function shown(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
