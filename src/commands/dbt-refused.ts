import { allowedOptions } from './dbt-options.ts';
import type { Subcommand } from './dbt-options.ts';
import { closest, shown } from './refusal.ts';

const platformSubcommands =
  'cancel completions environment internal invocation jobs login man reattach rpc sl state system'.split(' ');
const subcommandReasons = new Map([
  ['retry', 'needs the artifacts of another run; retry that run instead (POST .../runs/{run_id}/retry).'],
  ['init', 'creates a project and asks questions; create the project on your machine and commit it.'],
  ['docs serve', 'opens a web server and never ends; write dbt docs generate and fetch the artifacts.'],
  ['docs', 'needs a second word right after it; write dbt docs generate.'],
  ['source', 'needs a second word right after it; write dbt source freshness.'],
  ['source snapshot-freshness', 'is an old name; write dbt source freshness.'],
  ['generate', 'is not a subcommand; write dbt docs generate.'],
  ['freshness', 'is not a subcommand; write dbt source freshness.'],
]);

/** Why a subcommand is refused: one or two words, such as `retry` or `docs serve`. */
export function subcommandRefusal(words: string): string {
  const [first = ''] = words.split(' ', 1);
  for (const refused of [words, first]) {
    const reason = subcommandReasons.get(refused);
    if (reason !== undefined) return `dbt ${refused} ${reason}`;
  }
  if (platformSubcommands.includes(first)) {
    return `dbt ${first} belongs to the dbt platform or to another dbt than dbt Core; write for example dbt build.`;
  }
  const near = closest(first, Object.keys(allowedOptions));
  if (near !== undefined) return `dbt has no subcommand ${shown(first)}; did you mean dbt ${near}?`;
  return `${shown(first)} is not a subcommand a job may run; write one of ${Object.keys(allowedOptions).join(', ')}.`;
}

const exitsAtOnce = 'prints a text and ends as a success without running anything; leave it out.';
const notOurs = 'is set by dctl, which owns the connection; choose a target with --target instead.';
const fixedFolder = 'is set by dctl, which looks for the results in one place; leave it out.';
const adHocSql = 'runs SQL that is not in the project; add a model or an analysis and name it with --select.';
const otherParser = 'starts a program of its own; leave it out, the dbt of the runner is used.';
const changesPackages = 'changes which packages are installed; commit packages.yml and write dbt deps alone.';
const writesFile = 'writes a file wherever it is told to; leave it out, artifacts are kept after each run.';
const optionReasons = new Map([
  ['--', 'ends the options, and no words may follow them; leave it out.'],
  ['--version', exitsAtOnce],
  ['-V', exitsAtOnce],
  ['-v', exitsAtOnce],
  ['--help', exitsAtOnce],
  ['-h', exitsAtOnce],
  ['--config-dir', exitsAtOnce],
  ['--profiles-dir', notOurs],
  ['--profile', notOurs],
  ['--project-dir', 'is set by dctl, which runs the project of the job; leave it out.'],
  ['--target-path', fixedFolder],
  ['--log-path', fixedFolder],
  ['--no-write-json', 'leaves out the run results, without which no run can be judged; leave it out.'],
  ['--inline', adHocSql],
  ['--inline-direct', adHocSql],
  ['--v2-parser', otherParser],
  ['--use-v2-parser', otherParser],
  ['--no-use-v2-parser', otherParser],
  ['--record-timing-info', writesFile],
  ['-r', writesFile],
  ['-o', writesFile],
  ['source freshness --output', writesFile],
  ['--partial-parse-file-path', 'reads a file wherever it is told to; leave it out.'],
  ['--upload-to-artifacts-ingest-api', 'sends the artifacts to another service; leave it out.'],
  ['--send-anonymous-usage-stats', 'sends usage statistics to another service; leave it out.'],
  ['--upgrade', changesPackages],
  ['--add-package', changesPackages],
  ['--lock', changesPackages],
  ['--source', changesPackages],
  ['--no-clean-project-files-only', 'deletes files outside the project; leave it out.'],
  ['--single-threaded', 'is a switch for dbt developers; write --threads 1 instead.'],
  ['--macro-debugging', 'is a switch for dbt developers; write --debug instead.'],
]);

/** Why an option is refused for a subcommand. */
export function optionRefusal(subcommand: Subcommand, option: string): string {
  const reason = optionReasons.get(`${subcommand} ${option}`) ?? optionReasons.get(option);
  if (reason !== undefined) return `${option} ${reason}`;
  if (option.startsWith('--record')) return `${shown(option)} ${writesFile}`;

  const options = allowedOptions[subcommand];
  const others = Object.entries(allowedOptions).filter(([, each]) => each.has(option));
  if (others.length > 0) {
    return `${option} is not an option of dbt ${subcommand}, only of ${others.map(([each]) => each).join(', ')}; leave it out.`;
  }
  if (options.has(`-${option}`)) return `A long option has two hyphens; write -${option}.`;
  const short = option.slice(0, 2);
  if (!option.startsWith('--') && options.has(short)) {
    return `Short options stand alone; write ${short}, a space, and then what follows it.`;
  }
  const near = option.length > 2 ? closest(option, options.keys()) : undefined;
  const advice = near === undefined ? 'leave it out.' : `did you mean ${near}?`;
  return `${shown(option)} is not an option a job may give to dbt ${subcommand}; ${advice}`;
}
