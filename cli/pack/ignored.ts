import { readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';

/** What the ignore files of a folder and of those above it leave out. */
export interface Ignored {
  has(file: string, isFolder: boolean): boolean;
  /** With the rules of one more folder. */
  within(folder: string): Promise<Ignored>;
}

interface Rules {
  folder: string;
  rules: Ignore;
}

/** The rules above a folder: those of the repository's folders that lead to it, and .git/info/exclude. */
export async function ignoring(repository: string, folder: string): Promise<Ignored> {
  const exclude = await read(join(repository, '.git', 'info', 'exclude'));
  const begin = exclude === '' ? [] : [{ folder: repository, rules: ignore().add(exclude) }];
  let ignored = ignoredBy(begin);
  for (const above of foldersBetween(repository, folder)) ignored = await ignored.within(above);
  return ignored;
}

function ignoredBy(all: Rules[]): Ignored {
  return {
    // A file deeper down decides against one further up, as git does it.
    has(file, isFolder) {
      let isIgnored = false;
      for (const { folder, rules } of all) {
        const path = relative(folder, file).split(sep).join('/') + (isFolder ? '/' : '');
        const { ignored, unignored } = rules.test(path);
        if (ignored) isIgnored = true;
        if (unignored) isIgnored = false;
      }
      return isIgnored;
    },
    async within(folder) {
      const [forGit, forUs] = await Promise.all(
        ['.gitignore', '.dctlignore'].map((name) => read(join(folder, name))),
      );
      const text = `${forGit}\n${forUs}`.trim();
      return text === '' ? this : ignoredBy([...all, { folder, rules: ignore().add(text) }]);
    },
  };
}

/** From the repository's folder to the one above `folder`. */
function foldersBetween(repository: string, folder: string): string[] {
  if (folder === repository) return [];
  const above = dirname(folder);
  return [...foldersBetween(repository, above), above];
}

async function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
