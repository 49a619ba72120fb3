import type { ReadStream, WriteStream } from 'node:tty';
import { commandGroups, commands } from './commands.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { candidatesFor } from './completion/complete.ts';
import { completionWord } from './completion/scripts.ts';
import { connect } from './connect.ts';
import { toldError, UsageError } from './failure.ts';
import { firstWord, helpOf, helpOfAll, helpOfGroup } from './help.ts';
import { openOutput, type Output } from './output/output.ts';
import { findCommand, furtherWords, parseGiven, refuseMistypedWord } from './parse.ts';
import { chooseHost } from './settings/choose-host.ts';
import { openHosts } from './settings/hosts.ts';
import type { Shell } from './shell.ts';
import { suggestion } from './suggest.ts';

export interface Process {
  version: string;
  environment: NodeJS.ProcessEnv;
  folder: string;
  input: ReadStream;
  stdout: WriteStream;
  stderr: WriteStream;
  signal: AbortSignal;
}

/** Whoever presses Tab waits no longer. */
const completionPatienceMs = 2_000;

/** Runs what a command line says. Answers the exit code. */
export async function runCommand(args: string[], process: Process): Promise<ExitCode> {
  const isJson = args.slice(0, endOfOptions(args)).includes('--json');
  const out = openOutput(process, isJson);
  try {
    return (await run(args, process, out)) ?? exitCodes.success;
  } catch (error) {
    out.redraw('');
    if (process.signal.aborted) return exitCodes.interrupted;
    const told = toldError(error);
    if (told === undefined) {
      out.note(
        `dctl: something unexpected happened. ${error instanceof Error ? error.stack : String(error)}`,
      );
      return exitCodes.error;
    }
    const { exitCode, ...rest } = told;
    out.note(isJson ? JSON.stringify({ error: rest }) : `${out.paint('red', 'dctl:')} ${told.message}`);
    return exitCode;
  }
}

async function run(args: string[], process: Process, out: Output): Promise<ExitCode | void> {
  if (args[0] === completionWord) {
    const signal = AbortSignal.any([process.signal, AbortSignal.timeout(completionPatienceMs)]);
    const shell = shellOf({ ...process, signal }, out, undefined);
    for (const line of await candidatesFor(args.slice(1), commands, shell)) out.say(line);
    return;
  }
  const { command, words, rest } = findCommand(args, commands);
  if (command !== undefined) {
    refuseMistypedWord(command, rest, commands);
    const given = parseGiven(command, rest);
    if (given['help'] === true) return out.say(helpOf(command, out.columns));
    return command.run(shellOf(process, out, given['host'] as string | undefined), given);
  }
  const [word = ''] = words;
  if (word === 'version' || (word === '' && rest.includes('--version'))) return out.say(process.version);
  if (word === '' || word === 'help') return helpFor(args.slice(args.indexOf(word) + 1), out);
  if (commands.every(({ name }) => firstWord(name) !== word)) {
    const known = [...new Set(commands.map(({ name }) => firstWord(name)))];
    throw new UsageError(`There is no command ${word}.${suggestion(word, known)} See dctl --help.`);
  }
  if (args.includes('--help') || args.includes('-h'))
    return out.say(helpOfGroup(word, commands, out.columns));
  const further = furtherWords(word, commands);
  const next = words[1];
  if (next !== undefined && !next.startsWith('-'))
    throw new UsageError(
      `There is no command ${word} ${next}.${suggestion(next, further)} There are: ${further.join(', ')}.`,
    );
  out.note(helpOfGroup(word, commands, out.remarkColumns));
  return exitCodes.usage;
}

/** `dctl help`, `dctl help jobs`, `dctl help jobs create`. */
function helpFor(words: string[], out: Output): void {
  const asked = words.filter((word) => !word.startsWith('-'));
  if (asked.length === 0) return out.say(helpOfAll(commands, commandGroups, out.columns));
  const [word = ''] = asked;
  const isGroup = furtherWords(word, commands).length > 0;
  if (asked.length === 1 && isGroup) return out.say(helpOfGroup(word, commands, out.columns));
  const { command, rest } = findCommand(asked, commands);
  if (command !== undefined) {
    refuseMistypedWord(command, rest, commands);
    return out.say(helpOf(command, out.columns));
  }
  const known = commands.map(({ name }) => name);
  throw new UsageError(`There is no command ${asked.join(' ')}.${suggestion(asked.join(' '), known)}`);
}

function shellOf(
  { environment, folder, input, version, signal }: Process,
  out: Output,
  named: string | undefined,
): Shell {
  const hosts = openHosts(environment);
  const host = () => chooseHost(hosts, environment, named);
  return {
    out,
    input,
    environment,
    folder,
    version,
    signal,
    hosts,
    host,
    client: () => connect(host(), { version, signal }),
    connect: (other) => connect(other, { version }),
  };
}

function endOfOptions(args: string[]): number {
  const end = args.indexOf('--');
  return end === -1 ? args.length : end;
}
