import { allowedOptions, type Subcommand } from './dbt-options.ts';

/** What dbt parses depends on these and what follows them: a preparation with the same is the same. */
const decisive = new Set(['--vars', '--target', '-t']);

/** What dbt parses does not depend on these. Of any other option it is taken to. */
const indifferent = new Set(
  `--select -s --models --model -m --exclude --selector --indirect-selection
  --resource-type --resource-types --exclude-resource-type --exclude-resource-types
  --threads --full-refresh -f --fail-fast -x --no-fail-fast --empty --no-empty
  --event-time-start --event-time-end --sample --store-failures --show --args
  --quiet -q --no-quiet --print --no-print --printer-width --log-level --log-format
  --log-level-file --log-format-file --use-colors --no-use-colors --use-colors-file --no-use-colors-file
  --cache-selected-only --no-cache-selected-only --populate-cache --no-populate-cache
  --version-check --no-version-check --no-send-anonymous-usage-stats --write-json --partial-parse
  --limit --output --output-keys --compile --no-compile --static --empty-catalog --introspect --no-introspect`.split(
    /\s+/,
  ),
);

/** Those that need no parsed project, or are there to parse it. */
const unprepared: ReadonlySet<Subcommand> = new Set(['clean', 'debug', 'deps', 'parse'] as const);
/** Those that write results and a manifest, and are run for neither. */
const writingAside: ReadonlySet<Subcommand> = new Set(['build', 'run', 'seed', 'snapshot', 'test'] as const);

/**
 * The words of a `dbt` command that what it parses depends on, in their order; null when it can't be prepared for: it
 * parses nothing, or has an option of unknown effect. `argv`: as the validator accepted it.
 */
export function parseOptions(argv: readonly string[]): string[] | null {
  const { subcommand, words } = split(argv);
  if (subcommand === undefined || unprepared.has(subcommand)) return null;
  const options: string[] = [];
  let isDecisive = false;
  for (const word of words) {
    if (word.startsWith('-')) {
      const [name = word] = word.startsWith('--') ? word.split('=', 1) : [word];
      isDecisive = decisive.has(name);
      if (!isDecisive && !indifferent.has(name)) return null;
    }
    if (isDecisive) options.push(word);
  }
  return options;
}

/**
 * The options of the first of several `dbt` commands that a project can be prepared for; null when there is none.
 * `argvs`: the words of each.
 */
export function optionsOf(argvs: readonly (readonly string[])[]): string[] | null {
  for (const argv of argvs) {
    const options = parseOptions(argv);
    if (options !== null) return options;
  }
  return null;
}

/** Whether a `dbt` command writes its manifest only by the way: nobody runs it for that. */
export function writesManifestAside(argv: readonly string[]): boolean {
  const { subcommand } = split(argv);
  return subcommand !== undefined && writingAside.has(subcommand);
}

function split(argv: readonly string[]): { subcommand: Subcommand | undefined; words: readonly string[] } {
  for (const count of [2, 1]) {
    const given = argv.slice(0, count).join(' ');
    const name = given === 'ls' ? 'list' : given;
    if (Object.hasOwn(allowedOptions, name)) {
      return { subcommand: name as Subcommand, words: argv.slice(count) };
    }
  }
  return { subcommand: undefined, words: argv };
}
