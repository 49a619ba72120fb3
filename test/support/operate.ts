import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { System } from './system.ts';

/** What an operator's command wrote and how it ended. */
export interface Operated {
  exitCode: number | null;
  out: string;
  complaints: string;
}

/** Does on the system's server what whoever has a shell there can do. */
export async function operate(
  { environment }: Pick<System, 'environment'>,
  ...args: string[]
): Promise<Operated> {
  const child = spawn(process.execPath, ['dist/src/operate.js', ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, complaints, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { exitCode: exitCode as number | null, out: out.trim(), complaints: complaints.trim() };
}
