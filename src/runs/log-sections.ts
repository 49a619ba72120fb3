import type { Context } from '../context.ts';
import { findSteps } from './store.ts';

/** Where a step's part of its run's log begins and ends, in bytes. Null: that is not known, or not yet. */
export interface LogSection {
  from: number | null;
  to: number | null;
}

/** A run's first part begins with its log; the others where the worker saw their headers, if the log was kept there. */
export async function findSection(
  { db }: Pick<Context, 'db'>,
  runId: string,
  step: number,
): Promise<LogSection> {
  const begun = (await findSteps(db, [runId])).filter(({ logFrom }) => logFrom !== null);
  const own = begun.find(({ number }) => number === step);
  const next = begun.find(({ number }) => number > step);
  return {
    from: step === 1 ? 0 : own === undefined ? null : Number(own.logFrom),
    to: next === undefined ? null : Number(next.logFrom),
  };
}
