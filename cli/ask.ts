import { text } from 'node:stream/consumers';
import { UsageError } from './failure.ts';
import type { Shell } from './shell.ts';

/**
 * What may not stand on a command line, where other users of the machine and the shell's history would see it: from
 * stdin, or typed in a terminal that does not show it.
 */
export async function askSecret(shell: Shell, question: string): Promise<string> {
  const given = shell.input.isTTY ? await typed(shell, question, true) : await text(shell.input);
  const value = given.replace(/\r?\n$/, '');
  if (value === '')
    throw new UsageError(`${question}: stdin was empty. Send it to stdin, or type it in a terminal.`);
  return value;
}

/** A line typed in a terminal. `without`: what to write where there is none. */
export async function ask(shell: Shell, question: string, without: string): Promise<string> {
  if (!shell.input.isTTY) throw new UsageError(without);
  return (await typed(shell, question, false)).trim();
}

/** Yes or no. Without a terminal, --yes has to say it. */
export async function confirm(shell: Shell, question: string, isSaid: boolean): Promise<void> {
  if (isSaid) return;
  if (!shell.input.isTTY) throw new UsageError(`${question} Add --yes to confirm.`);
  const answer = await typed(shell, `${question} [y/N]`, false);
  if (!/^y(es)?$/i.test(answer.trim())) throw new UsageError('Nothing was changed.');
}

// eslint-disable-next-line no-control-regex -- a terminal sends them for keys that move
const arrowKeys = /\u001b(\[[\d;]*[A-Za-z~]|O[A-Z])/g;

/** The terminal hands over each key, and what is shown of it is up to us. */
function typed({ input, out, signal }: Shell, question: string, isHidden: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = '';
    const show = () => out.redraw(`${question}: ${isHidden ? '' : line}`);
    const end = (then: () => void) => {
      input.setRawMode(false);
      input.off('data', take);
      input.pause();
      out.note(`${question}: ${isHidden ? '' : line}`);
      then();
    };
    const take = (chunk: Buffer) => {
      for (const key of chunk.toString('utf8').replace(arrowKeys, '')) {
        if (key === '\r' || key === '\n') return end(() => resolve(line));
        if (key === '\u0003') {
          signal.addEventListener('abort', () => end(() => reject(signal.reason as Error)), { once: true });
          process.kill(process.pid, 'SIGINT');
          return;
        }
        if (key === '\u0004') return end(() => resolve(line));
        if (key === '\u007f' || key === '\b') line = Array.from(line).slice(0, -1).join('');
        else if (key >= ' ') line += key;
      }
      show();
    };
    signal.throwIfAborted();
    input.setRawMode(true);
    input.on('data', take);
    input.resume();
    show();
  });
}
