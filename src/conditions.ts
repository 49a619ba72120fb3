import { z } from 'zod';
import { text } from './text.ts';

export const operations = [
  'EQUAL',
  'NOT_EQUAL',
  'GREATER_THAN',
  'GREATER_THAN_OR_EQUAL',
  'LESS_THAN',
  'LESS_THAN_OR_EQUAL',
  'CONTAINS',
  'IN',
] as const;
export type Operation = (typeof operations)[number];

const scalar = z.union([text(2_000), z.number(), z.boolean(), z.null()]);

/** One comparison, in the shape of Erathos' orchestration rules. */
export const condition = z.strictObject({
  variable_name: text(200).min(1).meta({ description: 'What is looked at', example: 'ROWS' }),
  operation: z.enum(operations, { error: `write one of ${operations.join(', ')}` }),
  value: z.union([scalar, z.array(scalar).max(1_000)], {
    error: 'write a text, a number, true, false or null; for IN also a list of them',
  }),
});
export const conditions = z.array(condition).max(50);

/** As it was judged. */
export const judgedCondition = condition.extend({
  actual: z.unknown().optional().meta({ description: 'What was there; left out where nothing was' }),
  holds: z.boolean(),
});

export type Condition = z.infer<typeof condition>;
export type JudgedCondition = z.infer<typeof judgedCondition>;

/** Each condition with what was there. All of them hold, or nothing follows. `valueOf`: undefined where there is nothing. */
export function judge(
  asked: readonly Condition[],
  valueOf: (name: string) => unknown,
): { holds: boolean; conditions: JudgedCondition[] } {
  const judged = asked.map((each): JudgedCondition => {
    const actual = valueOf(each.variable_name);
    return { ...each, ...(actual === undefined ? {} : { actual }), holds: doesHold(each, actual) };
  });
  return { holds: judged.every(({ holds }) => holds), conditions: judged };
}

/** A sentence for whoever asks why nothing followed. Null when all of them hold. */
export function whyNot(judged: readonly JudgedCondition[]): string | null {
  const failed = judged.find(({ holds }) => !holds);
  if (failed === undefined) return null;
  const { variable_name: name, operation, value } = failed;
  if (!('actual' in failed))
    return `There is no ${name}, so ${name} ${operation} ${shown(value)} does not hold.`;
  return `${name} is ${shown(failed.actual)}, so ${name} ${operation} ${shown(value)} does not hold.`;
}

/**
 * A field of parsed JSON by its dotted path (`data.rows`, `items.0.name`); undefined where there is none. Only what the
 * JSON itself brought is found.
 */
export function fieldAt(data: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (found, key) =>
        typeof found === 'object' && found !== null && isBrought(found, key)
          ? (found as Record<string, unknown>)[key]
          : undefined,
      data,
    );
}

/** A list has a length that nobody wrote. */
const isBrought = (found: object, key: string) =>
  Object.hasOwn(found, key) && !(Array.isArray(found) && key === 'length');

/**
 * Of what is not there nothing holds, not even NOT_EQUAL: a run that begins because a field was left out would be a
 * surprise. A value compares by what it says, whether it came as a number, a boolean or as a text of one.
 */
function doesHold({ operation, value }: Condition, actual: unknown): boolean {
  if (actual === undefined) return false;
  switch (operation) {
    case 'EQUAL':
      return isSame(actual, value);
    case 'NOT_EQUAL':
      return !isSame(actual, value);
    case 'GREATER_THAN':
      return order(actual, value) > 0;
    case 'GREATER_THAN_OR_EQUAL':
      return order(actual, value) >= 0;
    case 'LESS_THAN':
      return order(actual, value) < 0;
    case 'LESS_THAN_OR_EQUAL':
      return order(actual, value) <= 0;
    case 'CONTAINS':
      if (Array.isArray(actual)) return actual.some((each) => isSame(each, value));
      return isScalar(actual) && isScalar(value) && String(actual).includes(String(value));
    case 'IN':
      return listOf(value).some((each) => isSame(actual, each));
  }
}

function isSame(actual: unknown, value: unknown): boolean {
  if (actual === null || value === null) return actual === value;
  if (!isScalar(actual) || !isScalar(value)) return false;
  if (typeof actual === 'boolean' || typeof value === 'boolean')
    return String(actual).toLowerCase() === String(value).toLowerCase();
  return String(actual) === String(value) || order(actual, value) === 0;
}

/** NaN where they can't be compared. Numbers by size, texts that are none letter by letter, as ISO times want it. */
function order(actual: unknown, value: unknown): number {
  if (!isScalar(actual) || !isScalar(value)) return NaN;
  if (typeof actual === 'boolean' || typeof value === 'boolean') return NaN;
  const [a, b] = [String(actual).trim(), String(value).trim()];
  const areNumbers = [isNumber(a), isNumber(b)];
  if (areNumbers.every(Boolean)) {
    // Ids that are long numbers differ in digits that floating point does not keep.
    if (isWhole(a) && isWhole(b)) return Number(BigInt(a) > BigInt(b)) - Number(BigInt(a) < BigInt(b));
    return Number(a) - Number(b);
  }
  if (areNumbers.some(Boolean)) return NaN;
  return Number(a > b) - Number(a < b);
}

/** A list as such, or as a text with commas. */
function listOf(value: Condition['value']): unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'string' ? value.split(',').map((each) => each.trim()) : [value];
}

/** What is longer is a text: whoever sends it must not keep everybody waiting while it is read. */
const maxDigits = 400;

const isScalar = (value: unknown): value is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof value);

const isNumber = (given: string) =>
  given.length <= maxDigits && /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i.test(given);
const isWhole = (given: string) => /^-?\d{1,300}$/.test(given);

function shown(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length > 200 ? `${json.slice(0, 200).toWellFormed()}…` : json;
}
