import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { System } from './system.ts';

type Language = 'json' | 'nginx' | 'python' | 'sh' | 'sql' | 'yaml';

/** A page of the project's own documents: `README.md`, `docs/api.md`. */
export function readPage(name: string): string {
  return readFileSync(join(import.meta.dirname, '..', '..', name), 'utf8');
}

/** The blocks of code that a page shows, in its order. */
export function blocksOf(page: string): { language: string; code: string }[] {
  const blocks = page.matchAll(/^```(\w+)\n(.*?)^```$/gms);
  return [...blocks].map(([, language = '', code = '']) => ({ language, code }));
}

/** Those in one language of the page of this name. */
export function shownIn(name: string, of: Language): string[] {
  return blocksOf(readPage(name)).flatMap(({ language, code }) => (language === of ? code : []));
}

/** The one of them that holds this text. */
export function theBlock(name: string, of: Language, holds: string): string {
  const found = shownIn(name, of).filter((code) => code.includes(holds));
  if (found.length !== 1) throw new Error(`${found.length} blocks of ${of} in ${name} hold "${holds}"`);
  return found[0]!;
}

/** The one call of docs/orchestration.md that holds this text. */
export function shownCall(holds: string): string {
  return theBlock('docs/orchestration.md', 'sh', holds);
}

/** What is shown, with one's own in the place of what readers are to replace: all of that has to be there. */
export function filledIn(shown: string | undefined, values: Record<string, string | number>): string {
  return Object.entries(values).reduce((text, [theirs, own]) => {
    if (!text.includes(theirs)) throw new Error(`"${theirs}" is not shown in:\n${text}`);
    return text.replaceAll(theirs, String(own));
  }, shown ?? '');
}

/** Runs a call as it is shown, in a shell with real curl. Returns what was answered. */
export async function runShown({ url, token }: Pick<System, 'url' | 'token'>, shown: string): Promise<any> {
  const env = { PATH: process.env['PATH'], DAGCTL_URL: url, DAGCTL_TOKEN: token };
  const { stdout } = await promisify(execFile)('bash', ['-c', shown], { env });
  return JSON.parse(stdout);
}
