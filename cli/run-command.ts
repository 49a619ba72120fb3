import type { ReadStream, WriteStream } from 'node:tty';
import { commandGroups, commands } from './commands.ts';
import { exitCodes, type ExitCode } from './command.ts';
import { candidatesFor } from './completion/complete.ts';
import { completionWord } from './completion/scripts.ts';
import { connect } from './connect.ts';
import { toldError, UsageError } from './failure.ts';
import { firstWord, helpOf, helpOfAll, helpOfGroup } from './help.ts';
import { openOutput, type Output } from './output/output.ts';
import { findCommand, parseGiven } from './parse.ts';
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
    const given = parseGiven(command, rest);
    if (given['help'] === true) return out.say(helpOf(command));
    return command.run(shellOf(process, out, given['host'] as string | undefined), given);
  }
  const [word = ''] = words;
  if (word === '' && rest.includes('--version')) return out.say(process.version);
  if (word === '' || word === 'help') return helpFor(words.length > 1 ? words[1]! : '', out);
  if (commands.every(({ name }) => firstWord(name) !== word)) {
    const known = [...new Set(commands.map(({ name }) => firstWord(name)))];
    throw new UsageError(`There is no command ${word}.${suggestion(word, known)} See dctl --help.`);
  }
  if (args.includes('--help') || args.includes('-h')) return out.say(helpOfGroup(word, commands));
  out.note(helpOfGroup(word, commands));
  return exitCodes.usage;
}

function helpFor(word: string, out: Output): void {
  const command = commands.find(({ name }) => name === word);
  if (command !== undefined) return out.say(helpOf(command));
  const isGroup = commands.some(({ name }) => firstWord(name) === word);
  out.say(isGroup ? helpOfGroup(word, commands) : helpOfAll(commands, commandGroups));
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
