import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { System } from '../support/system.ts';

const integrations = join(import.meta.dirname, '..', '..', 'docs', 'integrations');

/** The blocks of code in this language that a page shows, in its order: `airflow.md` is in docs/integrations. */
export function shownIn(page: string, language: 'json' | 'python' | 'sh' | 'sql' | 'yaml'): string[] {
  const text = readFileSync(join(integrations, page), 'utf8');
  const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  return blocks.filter(([, named]) => named === language).map(([, , code = '']) => code);
}

/** What is shown, with one's own in the place of what readers are to replace: all of that has to be there. */
export function filledIn(shown: string | undefined, values: Record<string, string | number>): string {
  return Object.entries(values).reduce((text, [theirs, own]) => {
    if (!text.includes(theirs)) throw new Error(`"${theirs}" is not shown in:\n${text}`);
    return text.replaceAll(theirs, String(own));
  }, shown ?? '');
}

/** The one call of docs/orchestration.md that holds this text. */
export function shownCall(holds: string): string {
  const found = shownIn('../orchestration.md', 'sh').filter((text) => text.includes(holds));
  if (found.length !== 1) throw new Error(`${found.length} blocks hold "${holds}"`);
  return found[0]!;
}

/** Runs a call as it is shown, in a shell with real curl. Returns what was answered. */
export async function runShown({ url, token }: Pick<System, 'url' | 'token'>, shown: string): Promise<any> {
  const env = { PATH: process.env['PATH'], DAGCTL_URL: url, DAGCTL_TOKEN: token };
  const { stdout } = await promisify(execFile)('bash', ['-c', shown], { env });
  return JSON.parse(stdout);
}
