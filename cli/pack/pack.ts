import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { ProjectFile } from './list-files.ts';

/** Where a gzip header tells on which system it was made: of no concern to anybody. */
const systemAt = 9;
const unknownSystem = 255;

/** Files as `.tar.gz`: the same bytes for the same files, whenever, wherever and by whomever they are packed. */
export async function packFiles(files: ProjectFile[]): Promise<Uint8Array<ArrayBuffer>> {
  // Loaded when something is packed: no other command is to wait for it.
  const [{ createGzip }, { pack }] = await Promise.all([import('node:zlib'), import('tar-stream')]);
  const archive = pack();
  const compressed = buffer(archive.pipe(createGzip({ level: 9 })));
  for (const { path, file, isExecutable } of files) {
    const content = await readFile(file);
    await new Promise<void>((resolve, reject) => {
      const header = { name: path, mtime: new Date(0), mode: isExecutable ? 0o755 : 0o644, uid: 0, gid: 0 };
      archive.entry(header, content, (error) => (error ? reject(error) : resolve()));
    });
  }
  archive.finalize();
  const bytes = new Uint8Array(await compressed);
  bytes[systemAt] = unknownSystem;
  return bytes;
}

/** As the server makes it of the files: whether something has changed can be told before anything is sent. */
export async function digestOf(files: ProjectFile[]): Promise<string> {
  const digest = createHash('sha256');
  for (const { path, file } of files) {
    const sha256 = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    digest.update(`${path}\0${sha256}\n`);
  }
  return `sha256:${digest.digest('hex')}`;
}
