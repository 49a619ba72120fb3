import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '../failure.ts';

/** In a project's folder: which of the server's projects it is. Made by `dctl init`, and kept with the code. */
export const projectFileName = 'dctl.json';

/** The project that a folder, or the closest one above it, says it is. */
export function projectOfFolder(folder: string): string | undefined {
  const file = closest(folder);
  if (file === undefined) return undefined;
  try {
    const { project } = JSON.parse(readFileSync(file, 'utf8')) as { project?: unknown };
    if (typeof project === 'string' && project !== '') return project;
  } catch {
    // Said below.
  }
  throw new UsageError(`${file} names no project: it should contain {"project": "its name"}.`);
}

export function writeProjectFile(folder: string, project: string): string {
  const file = join(folder, projectFileName);
  writeFileSync(file, `${JSON.stringify({ project }, null, 2)}\n`);
  return file;
}

function closest(folder: string): string | undefined {
  const file = join(folder, projectFileName);
  if (existsSync(file)) return file;
  const above = dirname(folder);
  return above === folder ? undefined : closest(above);
}
