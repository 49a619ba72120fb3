import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const integrations = join(import.meta.dirname, '..', '..', 'docs', 'integrations');

/** The blocks of code in this language that a page of docs/integrations shows, in its order. */
export function shownIn(page: string, language: 'python' | 'sh' | 'yaml'): string[] {
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
