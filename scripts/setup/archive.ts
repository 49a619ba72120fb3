import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';

/** What dbt leaves in a project folder. */
const leftOut = new Set(['target', 'logs', 'dbt_packages', '.user.yml']);

/** A folder as `.tar.gz`, the same bytes for the same files whenever and wherever it is packed. */
export async function packFolder(folder: string): Promise<Buffer> {
  const archive = pack();
  const compressed = buffer(archive.pipe(createGzip()));
  for (const name of await listFiles(folder)) {
    archive.entry({ name, mtime: new Date(0), mode: 0o644 }, await readFile(join(folder, name)));
  }
  archive.finalize();
  return compressed;
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((name) => !name.split('/').some((part) => leftOut.has(part)))
    .toSorted();
}
