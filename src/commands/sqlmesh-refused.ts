import { closest, shown } from './refusal.ts';
import { sqlmeshCommonOptions, sqlmeshOptions } from './sqlmesh-options.ts';
import type { SqlmeshSubcommand } from './sqlmesh-options.ts';

const allowed = 'a job runs sqlmesh plan, run, test or audit.';
const changesFiles = `changes the project's files, and a run's are thrown away: run it on your machine; ${allowed}`;
const takesAway = `takes things away for good: run it on your machine; ${allowed}`;
const forPeople = `shows something to a person at a terminal: run it on your machine; ${allowed}`;
const subcommandReasons = new Map([
  ...['init', 'create_external_models', 'create_test', 'dlt_refresh', 'format'].map(
    (each) => [each, changesFiles] as const,
  ),
  ...['clean', 'destroy', 'invalidate', 'janitor', 'rollback'].map((each) => [each, takesAway] as const),
  ...['check_intervals', 'dag', 'diff', 'environments', 'info', 'lint', 'render', 'rewrite'].map(
    (each) => [each, forPeople] as const,
  ),
  ...['table_diff', 'table_name'].map((each) => [each, forPeople] as const),
  ['evaluate', `runs SQL for a person at a terminal; ${allowed}`],
  ['fetchdf', `runs SQL that is not in the project; add a model; ${allowed}`],
  ['migrate', `changes the form of SQLMesh's state: run it on your machine; ${allowed}`],
  ['state', `reads and writes files wherever it is told to; ${allowed}`],
  ['ui', `opens a web server and never ends; ${allowed}`],
]);

export function sqlmeshSubcommandRefusal(word: string): string {
  const reason = subcommandReasons.get(word);
  if (reason !== undefined) return `sqlmesh ${word} ${reason}`;
  const near = closest(word, Object.keys(sqlmeshOptions));
  if (near !== undefined) return `sqlmesh has no subcommand ${shown(word)}; did you mean sqlmesh ${near}?`;
  return `${shown(word)} is not a subcommand a job may run; ${allowed}`;
}

const exitsAtOnce = 'prints a text and ends as a success without running anything; leave it out.';
const optionReasons = new Map([
  ['--', 'ends the options; leave it out.'],
  ['--help', exitsAtOnce],
  ['--version', exitsAtOnce],
  ['--paths', 'is set by dctl, which runs the project of the job; leave it out.'],
  ['-p', 'is set by dctl, which runs the project of the job; leave it out.'],
  ['--config', 'takes any name in config.py; name the one to use config.'],
  ['--dotenv', 'reads a file wherever it is told to; set variables on the environment.'],
  ['--log-file-dir', 'writes files wherever it is told to; write --log-to-stdout to have them in the log.'],
  ['--debug', 'is a switch for SQLMesh developers; write --log-to-stdout instead.'],
  ['--preserve-fixtures', 'leaves tables behind that nobody could look at; leave it out.'],
]);

/** Why an option is refused; without a subcommand, for an option that stands before it. */
export function sqlmeshOptionRefusal(subcommand: SqlmeshSubcommand | undefined, option: string): string {
  const reason = optionReasons.get(option);
  if (reason !== undefined) return `${option} ${reason}`;
  if (subcommand === undefined && Object.values(sqlmeshOptions).some((each) => each.has(option))) {
    return `${option} stands after the subcommand; write for example sqlmesh plan ${option}.`;
  }
  if (subcommand !== undefined && sqlmeshCommonOptions.has(option)) {
    return `${option} stands before the subcommand; write sqlmesh ${option} and then ${subcommand}.`;
  }
  const options = subcommand === undefined ? sqlmeshCommonOptions : sqlmeshOptions[subcommand];
  const place = subcommand === undefined ? 'sqlmesh' : `sqlmesh ${subcommand}`;
  const others = Object.entries(sqlmeshOptions).filter(([, each]) => each.has(option));
  if (others.length > 0) {
    return `${option} is not an option of ${place}, only of ${others.map(([each]) => each).join(', ')}; leave it out.`;
  }
  if (options.has(`-${option}`)) return `A long option has two hyphens; write -${option}.`;
  const short = option.slice(0, 2);
  if (!option.startsWith('--') && options.has(short)) {
    return `Short options stand alone; write ${short}, a space, and then what follows it.`;
  }
  const near = option.length > 2 ? closest(option, options.keys()) : undefined;
  const advice = near === undefined ? 'leave it out.' : `did you mean ${near}?`;
  return `${shown(option)} is not an option a job may give to ${place}; ${advice}`;
}
