import type { z } from 'zod';
import { invalidField } from '../errors.ts';
import type { jobChange } from '../jobs/schema.ts';

type Statuses = NonNullable<z.output<typeof jobChange>['run_after']>[number]['statuses'];

const unsuccessful: Statuses = ['partial', 'failed', 'error'];

/** The ends of a job's runs that make another job begin, as its own API names them. */
export function statusesOfCodes(codes: readonly number[]): Statuses {
  const wanted = new Set(codes);
  if (wanted.size === 0 || [...wanted].some((code) => ![10, 20, 30].includes(code))) {
    throw refusal('name one or more of 10 (success), 20 (error) and 30 (cancelled)');
  }
  // A run that was cancelled has ended in an error.
  if (wanted.has(20) !== wanted.has(30)) {
    throw refusal('name 20 (error) and 30 (cancelled) together or not at all: both are errors here');
  }
  return [...(wanted.has(10) ? (['success'] as const) : []), ...(wanted.has(20) ? unsuccessful : [])];
}

/** Undefined: dbt Cloud has no words for them. */
export function codesOfStatuses(statuses: readonly string[]): number[] | undefined {
  const known = statuses.filter((status) => status !== 'success');
  const hasUnsuccessful = unsuccessful.every((status) => known.includes(status));
  if (known.length > 0 && !hasUnsuccessful) return undefined;
  return [...(statuses.includes('success') ? [10] : []), ...(hasUnsuccessful ? [20, 30] : [])];
}

function refusal(detail: string) {
  const pointer = '/job_completion_trigger_condition/condition/statuses';
  return invalidField(pointer, `job_completion_trigger_condition.condition.statuses: ${detail}.`);
}
