import { allowedOptions, type Subcommand } from './dbt-options.ts';

/** A command as typed, and the words that its program gets. */
export interface Step {
  command: string;
  argv: string[];
  /** The steps after it run whatever becomes of it, and it has no part in what becomes of its run. */
  mayFail?: boolean | undefined;
}

const namesOf = { '--target': ['--target', '-t'], '--threads': ['--threads'] } as const;

/** The step with an option that its command knows, and does not give itself. Null: as it is. */
export function withOption(step: Step, name: keyof typeof namesOf, value: string | number | null): Step {
  const { argv } = step;
  if (value === null || valueOf(argv, name) !== null) return step;
  const words = wordsOfSubcommand(argv, name);
  if (words === 0) return step;
  return { ...step, argv: [...argv.slice(0, words), name, String(value), ...argv.slice(words)] };
}

/** The value that the words of a command give to an option; null: none. */
export function valueOf(argv: readonly string[], name: keyof typeof namesOf): string | null {
  for (const [place, word] of argv.entries()) {
    if ((namesOf[name] as readonly string[]).includes(word)) return argv[place + 1] ?? null;
    if (word.startsWith(`${name}=`)) return word.slice(name.length + 1);
  }
  return null;
}

/** How many words the subcommand has; 0 when it does not take the option. */
function wordsOfSubcommand(argv: readonly string[], option: string): number {
  return [1, 2].find((count) => takes(argv.slice(0, count).join(' '), option)) ?? 0;
}

function takes(given: string, option: string): boolean {
  const name = given === 'ls' ? 'list' : given;
  return Object.hasOwn(allowedOptions, name) && allowedOptions[name as Subcommand].has(option);
}
