import { AsyncLocalStorage } from 'node:async_hooks';
import { pino, type Logger, type LoggerOptions } from 'pino';

export type Log = Logger;

/** JSON lines on stdout: a static message, the data in fields. On stderr for `setup`, whose stdout is its answer. */
export function createLog(process: 'api' | 'worker' | 'setup', level: string): Log {
  const options: LoggerOptions = {
    level,
    base: { process },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.errWithCause },
    // A copy: pino adds the line's own fields to what it is given.
    mixin: () => ({ ...fieldsOfWork.getStore() }),
  };
  return pino(options, pino.destination(process === 'setup' ? 2 : 1));
}

const fieldsOfWork = new AsyncLocalStorage<Record<string, string>>();

/** Every line that is written on behalf of `work`, however deep inside, carries these fields, such as a request's id. */
export function withLogFields<T>(fields: Record<string, string>, work: () => T): T {
  return fieldsOfWork.run({ ...fieldsOfWork.getStore(), ...fields }, work);
}
