import { withOption, type Step } from '../../src/commands/with-option.ts';

/**
 * The step with the environment's number of threads, which dbt takes from no variable: unless its command says
 * another, knows no threads, or gets them from a generated profile.
 */
export function withThreads(
  step: Step,
  { threads, connection }: { threads: number | null; connection: object | null },
): Step {
  return connection === null ? withOption(step, '--threads', threads) : step;
}
