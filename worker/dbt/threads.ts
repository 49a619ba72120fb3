import { allowedOptions, type Subcommand } from '../../src/commands/dbt-options.ts';

interface Step {
  command: string;
  argv: string[];
}

/**
 * The step with the environment's number of threads, which dbt takes from no variable: unless its command says
 * another, knows no threads, or gets them from a generated profile.
 */
export function withThreads(
  step: Step,
  { threads, connection }: { threads: number | null; connection: object | null },
): Step {
  const { argv } = step;
  const given = argv.some((word) => word === '--threads' || word.startsWith('--threads='));
  if (threads === null || connection !== null || given) return step;
  const words = subcommandWords(argv);
  if (words === 0) return step;
  return { ...step, argv: [...argv.slice(0, words), '--threads', String(threads), ...argv.slice(words)] };
}

/** How many words the subcommand has; 0 when it takes no threads. */
function subcommandWords(argv: string[]): number {
  return [1, 2].find((count) => takesThreads(argv.slice(0, count).join(' '))) ?? 0;
}

function takesThreads(name: string): boolean {
  return Object.hasOwn(allowedOptions, name) && allowedOptions[name as Subcommand].has('--threads');
}
