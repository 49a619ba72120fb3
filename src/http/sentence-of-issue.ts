import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/**
 * What to write instead. A schema that has words of its own is taken by its word; zod alone says what was expected, in
 * TypeScript's.
 */
export function sentenceOf(issue: Issue): string {
  if (!/^(Invalid |Too |Unrecognized )/.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_value':
      return oneOf(issue.values.map((value) => JSON.stringify(value)));
    case 'invalid_type':
      return `write ${kindOf(issue.expected)}`;
    case 'unrecognized_keys':
      return `${issue.keys.map((key) => JSON.stringify(key)).join(', ')} is not known here: leave it out`;
    case 'too_small': {
      const least = amount(issue.origin, issue.minimum);
      return issue.inclusive === false ? `write more than ${least}` : `write ${least} or more`;
    }
    case 'too_big': {
      const most = amount(issue.origin, issue.maximum);
      return issue.inclusive === false ? `write less than ${most}` : `write ${most} or less`;
    }
    case 'invalid_format':
      return issue.format === 'datetime' ? 'write a time such as 2026-04-02T12:00:00Z' : issue.message;
    case 'invalid_union':
      return sentenceOfUnion(issue.errors);
    default:
      return issue.message;
  }
}

const kinds: Partial<Record<string, string>> = {
  string: 'a text, in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function kindOf(expected: string): string {
  return kinds[expected] ?? `a value of type ${expected}`;
}

function oneOf(values: string[]): string {
  return `write ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}`;
}

function amount(origin: string, count: number | bigint): string {
  if (origin === 'string') return `${count} character${Number(count) === 1 ? '' : 's'}`;
  return origin === 'array' ? `a list of ${count}` : String(count);
}

/** A form that the value has but for something in it says what that is; else all that it may be is said. */
function sentenceOfUnion(forms: Issue[][]): string {
  const near = forms.find(([first]) => first !== undefined && !isOfAnotherKind(first))?.[0];
  if (near !== undefined) return [...near.path.map(String), sentenceOf(near)].join(': ');
  const issues = forms.flatMap(([first]) => first ?? []);
  const values = issues.flatMap((issue) => (issue.code === 'invalid_value' ? issue.values : []));
  const names = values.map((value) => JSON.stringify(value));
  const expected = issues.flatMap((issue) => (issue.code === 'invalid_type' ? kindOf(issue.expected) : []));
  return expected.length === 0 ? oneOf(names) : `write ${[...new Set([...names, ...expected])].join(' or ')}`;
}

function isOfAnotherKind({ code, path }: Issue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
}
