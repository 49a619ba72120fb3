import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * A file or folder that comes with dctl, by its path below the project's folder. Source and compiled files lie at
 * different depths below that. Throws when it is missing.
 */
export function installed(path: string, from = import.meta.dirname): string {
  const found = join(from, path);
  if (existsSync(found)) return found;
  if (dirname(from) === from) throw new Error(`${path} is missing from this installation`);
  return installed(path, dirname(from));
}
