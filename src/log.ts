import { AsyncLocalStorage } from 'node:async_hooks';
import { pino, type Logger, type LoggerOptions } from 'pino';

export type Log = Logger;

/** JSON lines on stdout: a static message, the data in fields. On stderr for `setup`, whose stdout is its answer. */
export function createLog(name: 'api' | 'worker' | 'setup', level: string): Log {
  const options: LoggerOptions = {
    level,
    base: { process: name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { error: (error: unknown) => described(error) },
    // A copy: pino adds the line's own fields to what it is given.
    mixin: () => ({ ...fieldsOfWork.getStore() }),
  };
  return pino(options, name === 'setup' ? pino.destination(2) : openOutput());
}

/** A write costs more than a line: those of a moment go out together, the last ones when the process exits. */
function openOutput(): { write(line: string): void } {
  const output = pino.destination({ dest: 1, sync: true });
  let held = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (held !== '') output.write(held);
    held = '';
  };
  process.on('exit', flush);
  return {
    write(line) {
      held += line;
      if (held.length > maxHeldCharacters) flush();
      else timer ??= setTimeout(flush, heldMs);
    },
  };
}

const heldMs = 10;
const maxHeldCharacters = 16 * 1024;

interface DescribedError {
  type: string;
  message: string;
  stack: string | undefined;
  code?: string | number;
  cause?: DescribedError;
}

/** What an error says and nothing else that hangs on it: database clients do, and whole requests. */
function described(error: unknown, depth = 0): DescribedError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: unknown };
  const cause = depth < 5 ? described(error.cause, depth + 1) : undefined;
  return {
    type: error.name,
    message: error.message || causesOf(error),
    stack: error.stack,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(cause === undefined ? {} : { cause }),
  };
}

/** Several failed attempts are one error without a message of its own. */
function causesOf(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(String).join('; ') : '';
}

const fieldsOfWork = new AsyncLocalStorage<Record<string, string>>();

/** Every line that is written on behalf of `work`, however deep inside, carries these fields, such as a request's id. */
export function withLogFields<T>(fields: Record<string, string>, work: () => T): T {
  return fieldsOfWork.run({ ...fieldsOfWork.getStore(), ...fields }, work);
}
