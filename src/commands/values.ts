import { readMapping } from './mapping.ts';
import { isRealTime } from './time.ts';

/**
 * Judges one value of an option. The answer goes on from the option's name ("--threads" + "must be ..."), or is
 * undefined when the value is fine.
 */
export type ValueCheck = (value: string) => string | undefined;

export function wholeNumber(from: number, to: number): ValueCheck {
  return (value) => {
    const isInRange = /^[1-9]\d{0,8}$/.test(value) && Number(value) >= from && Number(value) <= to;
    return isInRange ? undefined : `must be a whole number from ${from} to ${to}`;
  };
}

export function oneOf(...choices: string[]): ValueCheck {
  return (value) => (choices.includes(value) ? undefined : `must be one of ${choices.join(', ')}`);
}

/** A target or a named selector. */
export const name: ValueCheck = (value) =>
  /^\w[\w.-]{0,127}$/.test(value)
    ? undefined
    : 'must be a plain name of letters, digits, underscores, dots and hyphens';

/** A key of `dbt ls --output json`, such as `config.materialized`. */
export const outputKey: ValueCheck = (value) =>
  /^[A-Za-z_][\w.]{0,127}$/.test(value)
    ? undefined
    : 'must be names of node properties, such as name resource_type';

/** One word of dbt's node selection: `@model`, `3+model+2`, `tag:x,config.y:z`, `path:a/b.sql`, `fct_v?`. */
export const selector: ValueCheck = (value) => {
  if (value === '') return 'must not have an empty part; write the name of a model, or leave the option out';
  if (value.startsWith('-')) return 'must not have a part that starts with a hyphen';
  const stray = /[^\p{L}\p{M}\p{Nd}_.:/,@+*?[\]!=#%-]/u.exec(value)?.[0];
  if (stray === '\\') return 'must have / between folders, not a backslash';
  if (stray === ' ') return 'must have each part as a word of its own, without quotes around several';
  if (stray !== undefined) return `must not contain the character ${stray}`;
  if (value.includes('..')) return 'must not contain ..; write the path from the project folder';
  if (/(?:^|[,:@+])\//.test(value)) return 'must have paths without a slash at the start';
  if (/^,|,,|,$/.test(value)) return 'must have a part on both sides of each comma, and no space beside it';
  return undefined;
};

/** A folder that came with the project. */
export const folder: ValueCheck = (value) => {
  if (value.includes('..')) return 'must not contain ..; write the path from the project folder';
  const isRelative = /^[\p{L}\p{M}\p{Nd}_.][\p{L}\p{M}\p{Nd}_./@+=, -]{0,511}$/u.test(value);
  return isRelative ? undefined : 'must be a folder in the project, written from there, such as state/prod';
};

export const time: ValueCheck = (value) =>
  /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d)?$/.test(value) && isRealTime(value)
    ? undefined
    : "must be a date such as 2024-12-31 or a time such as '2024-12-31 18:30:00'";

export const mapping: ValueCheck = (value) => {
  const read = readMapping(value);
  return 'problem' in read ? read.problem : undefined;
};

const relativeWindow = /^[1-9]\d{0,2} (?:hour|day|month|year)s?$/;

/** `3 days`, or a mapping with the start and the end as text, which is what dbt takes for each. */
export const sample: ValueCheck = (value) => {
  if (relativeWindow.test(value)) return undefined;
  if (!value.startsWith('{')) return "must be a length of time such as '3 days', or a mapping";
  const read = readMapping(value);
  if ('problem' in read) return read.problem;
  const { start, end, ...others } = read.values;
  const areTimes = [start, end].every((at) => typeof at === 'string' && time(at) === undefined);
  if (areTimes && Object.keys(others).length === 0) return undefined;
  return "must have a start and an end, both quoted, as in \"{'start': '2024-12-01', 'end': '2024-12-31'}\"";
};

/** Which warnings fail a run: `{"error": "all", "silence": ["NoNodesForSelectionCriteria"]}`. */
export const warnErrorOptions: ValueCheck = (value) => {
  const read = readMapping(value);
  if ('problem' in read) return read.problem;
  for (const [key, names] of Object.entries(read.values)) {
    if (!['error', 'warn', 'silence', 'include', 'exclude'].includes(key)) {
      return 'must have no other keys than error, warn and silence';
    }
    const areAll = (key === 'error' || key === 'include') && (names === 'all' || names === '*');
    const areNames =
      Array.isArray(names) && names.every((each) => typeof each === 'string' && /^[A-Za-z]\w*$/.test(each));
    if (!areAll && !areNames) return `must have under ${key} a list of names of dbt events`;
  }
  const { error, include, warn, exclude } = read.values;
  if ((error && include) || (warn && exclude)) return 'must not have both the new and the old name of a key';
  return undefined;
};
