import type { ValueCheck } from './values.ts';

/** SQLMesh reads dates, times, and words such as `1 week ago`. */
export const sqlmeshTime: ValueCheck = (value) =>
  /^[\p{L}\p{Nd}][\p{L}\p{M}\p{Nd} :.,+/-]{0,63}$/u.test(value)
    ? undefined
    : "must be a date such as 2024-12-31, a time, or words such as '1 week ago'";

/** A model, or SQLMesh's selection of some: `+shop.orders`, `tag:daily`, `^shop.*`. */
export const sqlmeshSelector: ValueCheck = (value) => {
  if (value === '') return 'must not be empty; write the name of a model, or leave the option out';
  if (/git:/i.test(value)) return 'must not select by git:, for a deployment has no history; name the models';
  const stray = /[^\p{L}\p{M}\p{Nd}_.*+^():@-]/u.exec(value)?.[0];
  if (stray === ' ' || stray === ',') return 'takes one selection; give the option once for each';
  if (stray !== undefined) return `must not contain the character ${stray}`;
  return value.length > 512 ? 'must be at most 512 characters long' : undefined;
};

/** A part of the names of tests, with * for anything. */
export const testPattern: ValueCheck = (value) =>
  /^[\p{L}\p{M}\p{Nd}_.*?:/ [\]!@-]{1,256}$/u.test(value)
    ? undefined
    : 'must be a part of the names of tests, such as test_orders or *orders*';

/** A file of tests, `file.yaml::test_name`, or a model's file. */
export const testFile: ValueCheck = (value) => {
  if (value.includes('..')) return 'must not contain ..; write the path from the project folder';
  const isRelative = /^[\p{L}\p{M}\p{Nd}_.][\p{L}\p{M}\p{Nd}_./:@+=*?-]{0,511}$/u.test(value);
  return isRelative ? undefined : 'must be a file in the project, such as tests/test_orders.yaml';
};
