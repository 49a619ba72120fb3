import { z } from 'zod';
import { text } from '../text.ts';
import { statusNames } from './status.ts';

/** Clients write lists in a dozen ways: `a,b`, `["a",,"b"]`, `['a']`, `[a]`, one parameter for each, or nothing at all. */
const several = z
  .union([z.string(), z.array(z.string())])
  .optional()
  .transform((given) =>
    [given ?? []]
      .flat()
      .flatMap((each) => each.replace(/[[\]'"\s]/g, '').split(','))
      .filter((each) => each !== ''),
  );

/** Of several numbers; undefined: none was given. */
const numbers = several.transform((given) => {
  const read = given.map((each) => (/^\d{1,15}$/.test(each) ? Number(each) : 0));
  return read.length === 0 ? undefined : read;
});

const codesByName = new Map(
  Object.entries(statusNames).flatMap(([code, name]) => [
    [code, Number(code)],
    [name.toLowerCase(), Number(code)],
  ]),
);

const statuses = several.transform((given, issues): number[] | undefined => {
  const codes = given.map((each) => codesByName.get(each.toLowerCase()));
  if (!codes.includes(undefined)) return codes.length === 0 ? undefined : (codes as number[]);
  const known = Object.entries(statusNames).map(([code, name]) => `${code} (${name})`);
  issues.addIssue(`write one or more of ${known.join(', ')}`);
  return z.NEVER;
});

/** Two times with their zones, as `["2026-04-02T12:00:00+00:00", "..."]`. A plus that came as a space is one; no zone is UTC. */
const range = z
  .string()
  .optional()
  .transform((given, issues): [Date, Date] | undefined => {
    if (given === undefined || given === '') return undefined;
    const times = given
      .replace(/[[\]'"]/g, '')
      .split(',')
      .map((each) => timeOf(each.trim()));
    const [from, to] = times;
    if (times.length === 2 && isStorable(from) && isStorable(to)) return [from, to];
    issues.addIssue('write two times, such as ["2026-04-02T12:00:00+00:00","2026-04-02T13:00:00+00:00"]');
    return z.NEVER;
  });

const writtenTime = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?))?(Z|[+ -]\d\d:\d\d)?$/;

function timeOf(written: string): Date | undefined {
  const [, day, clock = '00:00', zone = 'Z'] = writtenTime.exec(written) ?? [];
  return day === undefined ? undefined : new Date(`${day}T${clock}${zone.replace(' ', '+')}`);
}

function isStorable(given: Date | undefined): given is Date {
  return given !== undefined && given.getTime() >= 0 && given.getUTCFullYear() <= 9_998;
}

const order = <Field extends string>(fields: readonly Field[]) =>
  z
    .string()
    .optional()
    .transform((given, issues): { field: Field; isDescending: boolean; text: string } => {
      const wanted = given === undefined || given === '' ? 'id' : given;
      const field = fields.find((each) => each === wanted.replace(/^-/, ''));
      if (field !== undefined) return { field, isDescending: wanted.startsWith('-'), text: wanted };
      issues.addIssue(`write one of ${fields.join(', ')}, with a - before it for the reverse`);
      return z.NEVER;
    })
    .meta({
      description: `One of ${fields.join(', ')}, with a - before it for the reverse; id when left out`,
    });

/** Longer pages are cut: clients go by the limit that is told with the page. */
const maxPage = 100;

const paging = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .default(maxPage)
    .transform((given) => Math.min(given, maxPage))
    .meta({ description: `At most ${maxPage}` }),
  offset: z.coerce.number().int().min(0).max(2_000_000_000).default(0),
};

export const projectQuery = z.object({
  ...paging,
  order_by: order(['id', 'name', 'created_at']),
  name: text(200).optional(),
  name__icontains: text(200).optional(),
});

export const environmentQuery = projectQuery.extend({ project_id: numbers, project_id__in: numbers });

export const jobQuery = environmentQuery.extend({
  order_by: order(['id', 'name', 'created_at', 'updated_at']),
  environment_id: numbers,
  environment_id__in: numbers,
  state: several,
  include_related: several,
});

export const jobShownQuery = z.object({ include_related: several });

export const runQuery = z.object({
  ...paging,
  order_by: order(['id', 'created_at', 'finished_at']),
  project_id: numbers,
  project_id__in: numbers,
  environment_id: numbers,
  environment_id__in: numbers,
  job_definition_id: numbers,
  job_definition_id__in: numbers,
  status: statuses,
  status__in: statuses,
  deferring_run_id: numbers,
  created_at__range: range,
  finished_at__range: range,
  include_related: several,
});

export const variableQuery = z.object({ job_definition_id: numbers });

export const runShownQuery = z.object({ include_related: several });

/** Whoever leaves the step out has the newest of each path. */
export const artifactQuery = z.object({
  step: z
    .string()
    .optional()
    .transform((given) => (given === undefined || given === '' ? undefined : Number(given)))
    .refine(
      (given) => given === undefined || (Number.isInteger(given) && given >= 1 && given <= 10_000),
      'write the index of a step, counted from 1',
    )
    .meta({ description: 'The index of a step: 1 to 3 prepare the run, the first command is 4' }),
});

export type RunQuery = z.output<typeof runQuery>;
export type JobQuery = z.output<typeof jobQuery>;
export type ProjectQuery = z.output<typeof projectQuery>;
export type EnvironmentQuery = z.output<typeof environmentQuery>;
