import { existsSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { Failure, UsageError } from '../failure.ts';
import { ignoring, type Ignored } from './ignored.ts';

/** A file of a project that is to be deployed. */
export interface ProjectFile {
  /** Below the project's folder, with slashes. */
  path: string;
  /** Where it is. */
  file: string;
  size: number;
  isExecutable: boolean;
}

/** What the server leaves out of every deployment. The first four only at the top. */
const leftOutAtTop = new Set(['target', 'logs', '.cache', '.venv', 'venv', '__MACOSX']);
const leftOutAnywhere = /^(\.git|__pycache__|node_modules|\.DS_Store|\._.*|\.user\.yml)$/;

/**
 * The files of a folder that belong to its project, sorted by their paths: without what .gitignore and .dctlignore
 * leave out. Links are followed as long as they stay inside the folder or its repository.
 */
export async function listFiles(folder: string): Promise<ProjectFile[]> {
  const top = await realpath(folder).catch(() => {
    throw new UsageError(`${folder} is not there.`);
  });
  if (!(await stat(top)).isDirectory()) throw new UsageError(`${folder} is no folder.`);
  const repository = repositoryOf(top) ?? top;
  const files: ProjectFile[] = [];

  async function walk(path: string, ignored: Ignored, chain: string[]): Promise<void> {
    const here = join(top, path);
    const names = (await readdir(here)).toSorted();
    const further = await ignored.within(here);
    for (const name of names) {
      const below = path === '' ? name : `${path}/${name}`;
      if (leftOutAnywhere.test(name) || (path === '' && leftOutAtTop.has(name))) continue;
      const file = join(here, name);
      const real = await realpath(file).catch(() => undefined);
      const about = real === undefined ? undefined : await stat(real);
      if (further.has(file, about?.isDirectory() === true)) continue;
      if (real === undefined || about === undefined)
        throw new Failure(`${below} is a link that leads nowhere: remove it, or put it into .dctlignore.`);
      const isWithin = real === repository || real.startsWith(repository + sep);
      if (!isWithin || real.slice(repository.length).split(sep).includes('.git'))
        throw new Failure(
          `${below} is a link that leads out of the project, to ${real}: copy what is needed, or put it into .dctlignore.`,
        );
      if (about.isDirectory()) {
        if (chain.includes(real)) throw new Failure(`${below} is a link that leads in a circle: remove it.`);
        await walk(below, further, [...chain, real]);
      } else if (about.isFile()) {
        files.push({ path: below, file: real, size: about.size, isExecutable: (about.mode & 0o100) !== 0 });
      }
    }
  }

  await walk('', await ignoring(repository, top), [top]);
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** The folder with `.git`, which is where the rules of .gitignore begin. */
function repositoryOf(folder: string): string | undefined {
  if (existsSync(join(folder, '.git'))) return folder;
  const above = dirname(folder);
  return above === folder ? undefined : repositoryOf(above);
}
