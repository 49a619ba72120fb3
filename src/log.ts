import { pino, type Logger } from 'pino';

export type Log = Logger;

/** JSON lines on stdout: a static message, the data in fields. */
export function createLog(process: 'api' | 'worker' | 'setup', level: string): Log {
  return pino({
    level,
    base: { process },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.errWithCause },
  });
}
