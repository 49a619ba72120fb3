import { DctlError } from '../client/index.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { plain } from './output/plain.ts';

/** The command line is not right. The message says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What was asked for could not be done, for a reason that the message tells in full. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

/** What somebody typed has to be typed differently: sending the same again cannot help. */
const wronglyAsked = new Set([400, 404, 405, 413, 415, 422]);

export interface ToldError {
  message: string;
  /** Of the server's answer, where it gave one. */
  status?: number;
  code?: string;
  problems?: { pointer: string; detail: string; position?: number }[];
  exitCode: ExitCode;
}

/** An error as it is told: in sentences, and with an exit code. Undefined for one that nobody expected. */
export function toldError(error: unknown): ToldError | undefined {
  if (error instanceof UsageError) return { message: error.message, exitCode: exitCodes.usage };
  if (error instanceof Failure) return { message: error.message, exitCode: exitCodes.error };
  if (isOfFile(error)) {
    if (error.code !== 'ENOENT') return { message: error.message, exitCode: exitCodes.error };
    return { message: `${error.path} is not there.`, exitCode: exitCodes.usage };
  }
  if (!(error instanceof DctlError)) return undefined;
  const { status, code, problems } = error;
  return {
    message: sentenceOf(error),
    status,
    code,
    ...(problems.length > 0 ? { problems } : {}),
    exitCode: wronglyAsked.has(status) ? exitCodes.usage : exitCodes.error,
  };
}

function isOfFile(error: unknown): error is NodeJS.ErrnoException & { path: string } {
  return error instanceof Error && 'path' in error && typeof error.path === 'string' && 'syscall' in error;
}

function sentenceOf({ status, message, problems }: DctlError): string {
  const said = plain(message);
  if (status === 401) return `${said} Log in again with dctl login, or set another DCTL_TOKEN.`;
  if (status === 403) return `${said} A token with a wider scope may: dctl login.`;
  const further = problems
    .map(({ pointer, detail }) => (pointer === '' ? detail : `${pointer}: ${detail}`))
    .map(plain)
    .filter((problem) => !said.includes(problem) && !problems.some(({ detail }) => said === plain(detail)));
  return [inCommands(said), ...further].join('\n  ');
}

/** The server's advice names calls and fields of the API: in its place stands the command that does the same. */
function inCommands(said: string): string {
  const advices: [advice: RegExp, command: string][] = [
    [/: deploy it first \(POST .*\)\.$/, '. Deploy it first: dctl deploy'],
    [
      / Set its webhook_(url|enabled\b.*) first\.$/,
      ' Set its URL first: dctl jobs set JOB --webhook-url URL',
    ],
    [/ \(or several, as commands\)\.$/, ', with --command.'],
    [/: remove it from env_vars, /, ': remove it with dctl env unset, '],
    [/(?<=\bwebhook_url\b.*)$/, ' Here: dctl jobs set JOB --webhook-url URL'],
  ];
  const found = advices.find(([advice]) => advice.test(said));
  return found === undefined ? said : said.replace(...found);
}
