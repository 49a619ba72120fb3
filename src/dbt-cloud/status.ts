import { isCancelled } from '../webhooks/run-event.ts';

/** What dbt Cloud's clients know of a run's state, and of a step's. */
export const statusNames = {
  1: 'Queued',
  2: 'Starting',
  3: 'Running',
  10: 'Success',
  20: 'Error',
  30: 'Cancelled',
} as const;

export type StatusCode = keyof typeof statusNames;

export const statusCodes = Object.keys(statusNames).map(Number) as StatusCode[];

/** `hasBegun`: one of its commands has. */
export function statusCodeOf(
  { status, statusReason }: { status: string; statusReason: string | null },
  hasBegun: boolean,
): StatusCode {
  switch (status) {
    case 'queued':
      return 1;
    case 'running':
      return hasBegun ? 3 : 2;
    case 'success':
      return 10;
    default:
      return isCancelled({ statusReason }) ? 30 : 20;
  }
}
