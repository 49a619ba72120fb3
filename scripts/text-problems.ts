import { readFileSync } from 'node:fs';

/** What is wrong with a file that is made from something else, as it stands. */
export function textProblems(file: string, text: string, source: string): string[] {
  let there: string | undefined;
  try {
    there = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return there === text ? [] : [`${file} does not say what ${source}: npm run docs`];
}
