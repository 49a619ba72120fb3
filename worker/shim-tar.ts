import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { dirname, join } from 'node:path';
import { pack } from 'tar-stream';
import { runnerUser } from '../src/projects/unpack.ts';
import { shimPath } from './dbt/container-spec.ts';

/** A tar with the shim at its place below the work folder. Read once: it is the same for every run. */
export async function readShimTar(): Promise<Buffer> {
  const content = await readFile(join(installation(import.meta.dirname), 'runner', 'shim.py'));
  const archive = pack();
  archive.entry({ name: `${dirname(shimPath)}/`, type: 'directory', mode: 0o755, ...runnerUser });
  archive.entry({ name: shimPath, mode: 0o444, ...runnerUser }, content);
  archive.finalize();
  return buffer(archive as AsyncIterable<Uint8Array>);
}

/** The source and the compiled file lie at different depths below it. */
function installation(from: string): string {
  if (existsSync(join(from, 'runner', 'shim.py'))) return from;
  if (dirname(from) === from) throw new Error('runner/shim.py is missing from this installation');
  return installation(dirname(from));
}
