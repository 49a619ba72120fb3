import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readIfThere, runCommand } from '../../scripts/setup/processes.ts';
import { ensureUv } from '../../scripts/setup/python-environment.ts';

/** Packages are taken as they were then, so that the same ones are installed next time. */
const asOf = '2026-11-01';
const limitMs = 15 * 60_000;

/**
 * Makes sure of a Python environment with these packages from PyPI, and answers the folder of its programs. It stays for
 * the next time.
 */
export async function ensureTool(home: string, name: string, packages: string[]): Promise<string> {
  const folder = join(home, name);
  const stamp = join(folder, 'packages');
  const wanted = [asOf, ...packages].join('\n');
  if (readIfThere(stamp) === wanted) return join(folder, 'bin');

  mkdirSync(home, { recursive: true });
  try {
    const uv = await ensureUv(home);
    rmSync(folder, { recursive: true, force: true });
    await runCommand(uv, ['venv', '--quiet', '--python', 'python3', folder], { timeoutMs: limitMs });
    const into = ['--python', join(folder, 'bin', 'python'), '--exclude-newer', asOf];
    await runCommand(uv, ['pip', 'install', '--quiet', ...into, ...packages], { timeoutMs: limitMs });
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'no reason given';
    throw new Error(`${name} could not be installed from PyPI, which takes python3 with venv: ${reason}`, {
      cause: error,
    });
  }
  writeFileSync(stamp, wanted);
  return join(folder, 'bin');
}
