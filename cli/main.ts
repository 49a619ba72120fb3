import process from 'node:process';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { runCommand } from './run-command.ts';

/** Of the process: what is read from it, and how it ends. Answers the exit code. */
export async function main(args: string[], version: string): Promise<ExitCode> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      // Who asks twice does not want to wait.
      if (interrupt.signal.aborted) process.exit(exitCodes.interrupted);
      interrupt.abort();
    });
  // Whoever reads our output may have had enough of it: `dctl runs | head -1`.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(exitCodes.success);
      throw error;
    });
  await useProxy(process.env);
  return runCommand(args, {
    version,
    environment: process.env,
    folder: process.cwd(),
    input: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: interrupt.signal,
  });
}

/** As curl does. What is on this machine needs no proxy. */
async function useProxy(environment: NodeJS.ProcessEnv): Promise<void> {
  const isSet = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some((name) => environment[name]);
  if (!isSet) return;
  const { setGlobalProxyFromEnv } = await import('node:http');
  // Older versions of Node have no such function.
  if (typeof setGlobalProxyFromEnv !== 'function') return;
  const direct = environment['no_proxy'] ?? environment['NO_PROXY'] ?? '';
  const noProxy = ['localhost', '127.0.0.1', '::1', direct].filter((each) => each !== '').join(',');
  setGlobalProxyFromEnv({ ...environment, no_proxy: noProxy, NO_PROXY: noProxy });
}
