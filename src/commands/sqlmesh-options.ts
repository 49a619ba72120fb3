import type { Option } from './arguments.ts';
import { sqlmeshSelector, sqlmeshTime, testPattern } from './sqlmesh-values.ts';
import { name, wholeNumber } from './values.ts';
import type { ValueCheck } from './values.ts';

type Options = ReadonlyArray<readonly [string, Option]>;

const interval = [...one(['--start', '-s'], sqlmeshTime), ...one(['--end', '-e'], sqlmeshTime)];
const executionTime = one(['--execution-time'], sqlmeshTime);
const selection = each(['--select-model'], sqlmeshSelector);
const verbose = flags('--verbose', '-v', '-vv');

/**
 * The subcommands a command may have, and the options of each, as SQLMesh 0.236 takes them. This lists what is allowed
 * and not what is dangerous: an option that a later SQLMesh brings along is refused until someone has read what it
 * does.
 */
export const sqlmeshOptions = {
  plan: optionsOf(
    interval,
    executionTime,
    selection,
    verbose,
    flags('--auto-apply', '--no-prompts', '--no-auto-categorization'),
    flags('--skip-tests', '--test-changed-only', '--skip-linter'),
    flags('--no-gaps', '--skip-backfill', '--dry-run', '--empty-backfill', '--forward-only'),
    flags('--include-unmodified', '--run', '--ignore-cron', '--enable-preview'),
    flags('--no-diff', '--diff-rendered', '--explain'),
    one(['--create-from'], name),
    one(['--effective-from'], sqlmeshTime),
    one(['--min-intervals'], wholeNumber(1, 10_000)),
    each(['--restate-model', '-r'], sqlmeshSelector),
    each(['--backfill-model'], sqlmeshSelector),
    each(['--allow-destructive-model'], sqlmeshSelector),
    each(['--allow-additive-model'], sqlmeshSelector),
  ),
  run: optionsOf(
    interval,
    selection,
    flags('--skip-janitor', '--ignore-cron', '--no-auto-upstream'),
    one(['--exit-on-env-update'], wholeNumber(1, 255)),
  ),
  test: optionsOf(selection, verbose, flags('--local'), each(['-k'], testPattern)),
  audit: optionsOf(interval, executionTime, each(['--model'], sqlmeshSelector)),
};

export type SqlmeshSubcommand = keyof typeof sqlmeshOptions;

/** Options of `sqlmesh` itself: they stand before the subcommand. */
export const sqlmeshCommonOptions = optionsOf(
  one(['--gateway'], name),
  flags('--ignore-warnings', '--log-to-stdout'),
);

function optionsOf(...groups: Options[]): ReadonlyMap<string, Option> {
  return new Map(groups.flat());
}

function flags(...names: string[]): Options {
  return names.map((flag) => [flag, { takes: 'nothing' }]);
}

function one(names: string[], check: ValueCheck): Options {
  return names.map((given) => [given, { takes: 'one', name: names[0]!, check }]);
}

/** An option that is given once for each of its values. */
function each(names: string[], check: ValueCheck): Options {
  return names.map((given) => [given, { takes: 'one each', name: names[0]!, check }]);
}
