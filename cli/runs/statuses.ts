import type { Run } from '../../client/index.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import type { Style } from '../output/output.ts';

type Status = Run['status'];

export const statuses = ['queued', 'running', 'success', 'partial', 'failed', 'error'] as const;

/** What a script learns of how a run ended. */
export function exitCodeOf(status: Status): ExitCode {
  switch (status) {
    case 'queued':
    case 'running':
    case 'success':
      return exitCodes.success;
    case 'partial':
    case 'failed':
      return exitCodes.failed;
    case 'error':
      return exitCodes.error;
  }
}

/** Of a run, a step or one of dbt's nodes. */
export function styleOf(status: string): Style {
  if (['success', 'pass'].includes(status)) return 'green';
  if (['partial', 'warn', 'skipped'].includes(status)) return 'yellow';
  if (['failed', 'error', 'fail', 'runtime error'].includes(status)) return 'red';
  return 'cyan';
}

export function isFailure(status: string): boolean {
  return styleOf(status) === 'red';
}
