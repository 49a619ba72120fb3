import {
  folder,
  mapping,
  name,
  oneOf,
  outputKey,
  sample,
  selector,
  time,
  warnErrorOptions,
  wholeNumber,
} from './values.ts';
import type { Option } from './arguments.ts';
import type { ValueCheck } from './values.ts';

type Options = ReadonlyArray<readonly [string, Option]>;

const selection = [
  ...many(['--select', '-s', '--models', '--model', '-m'], selector),
  ...many(['--exclude'], selector),
  ...one(['--selector'], name),
];
// Each thread is a process slot in the container, which has 256 of them.
const threads = one(['--threads'], wholeNumber(1, 128));
const nodes = [...selection, ...threads];
const fullRefresh = flags('--full-refresh', '-f');
const empty = switches('--empty');
const windows = [
  ...one(['--event-time-start'], time),
  ...one(['--event-time-end'], time),
  ...one(['--sample'], sample),
];
const preview = [...switches('--introspect'), ...one(['--output'], oneOf('json', 'text'))];

const resourceTypeNames =
  'analysis default exposure function metric model saved_query seed semantic_model snapshot source test unit_test'.split(
    ' ',
  );
const resourceTypes = [
  ...many(['--resource-type', '--resource-types'], oneOf('all', ...resourceTypeNames)),
  ...many(['--exclude-resource-type', '--exclude-resource-types'], oneOf(...resourceTypeNames)),
];

const logLevel = oneOf('debug', 'info', 'warn', 'error', 'none');
const logFormat = oneOf('text', 'debug', 'json', 'default');
const everywhere = [
  ...switches(
    '--cache-selected-only',
    '--debug',
    '--defer',
    '--fail-fast',
    '--favor-state',
    '--log-cache-events',
  ),
  ...switches('--partial-parse', '--populate-cache', '--print', '--quiet', '--show-all-deprecations'),
  ...switches(
    '--static-parser',
    '--use-colors',
    '--use-colors-file',
    '--use-experimental-parser',
    '--version-check',
  ),
  ...flags('-d', '-q', '-x', '--no-send-anonymous-usage-stats', '--warn-error', '--write-json'),
  ...one(['--defer-state'], folder),
  ...one(['--indirect-selection'], oneOf('eager', 'cautious', 'buildable', 'empty')),
  ...one(['--log-format'], logFormat),
  ...one(['--log-format-file'], logFormat),
  ...one(['--log-level'], logLevel),
  ...one(['--log-level-file'], logLevel),
  ...one(['--printer-width'], wholeNumber(1, 1000)),
  ...one(['--state'], folder),
  ...one(['--target', '-t'], name),
  ...one(['--vars'], mapping),
  ...one(['--warn-error-options'], warnErrorOptions),
];

/**
 * The subcommands a command may have, and the options of each, as dbt-core 1.11 takes them. This lists what is
 * allowed and not what is dangerous: an option that a later dbt brings along is refused until someone has read what
 * it does. Options dbt hides from its help are left out.
 */
export const allowedOptions = {
  build: optionsOf(nodes, resourceTypes, fullRefresh, empty, windows, flags('--show', '--store-failures')),
  clean: optionsOf(flags('--clean-project-files-only')),
  clone: optionsOf(nodes, resourceTypes, fullRefresh),
  compile: optionsOf(nodes, fullRefresh, empty, preview),
  debug: optionsOf(flags('--connection')),
  deps: optionsOf(),
  'docs generate': optionsOf(nodes, switches('--compile'), flags('--empty-catalog', '--static')),
  list: optionsOf(
    selection,
    resourceTypes,
    one(['--output'], oneOf('json', 'name', 'path', 'selector')),
    many(['--output-keys'], outputKey),
  ),
  parse: optionsOf(threads),
  run: optionsOf(nodes, fullRefresh, empty, windows),
  'run-operation': optionsOf(threads, one(['--args'], mapping)),
  seed: optionsOf(nodes, fullRefresh, flags('--show')),
  show: optionsOf(nodes, fullRefresh, preview, one(['--limit'], wholeNumber(1, 1_000_000))),
  snapshot: optionsOf(nodes, empty),
  'source freshness': optionsOf(nodes),
  test: optionsOf(nodes, resourceTypes, flags('--store-failures')),
};

export type Subcommand = keyof typeof allowedOptions;

function optionsOf(...groups: Options[]): ReadonlyMap<string, Option> {
  return new Map([...everywhere, ...groups.flat()]);
}

function flags(...names: string[]): Options {
  return names.map((each) => [each, { takes: 'nothing' }]);
}

/** Flags that also exist in the negative: `--defer` and `--no-defer`. */
function switches(...names: string[]): Options {
  return flags(...names, ...names.map((each) => each.replace(/^--/, '--no-')));
}

function one(names: string[], check: ValueCheck): Options {
  return names.map((each) => [each, { takes: 'one', name: names[0]!, check }]);
}

function many(names: string[], check: ValueCheck): Options {
  return names.map((each) => [each, { takes: 'many', name: names[0]!, check }]);
}
