import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { basename, dirname } from 'node:path';
import { pack } from 'tar-stream';
import { installed } from '../src/installation.ts';
import { runnerUser } from '../src/projects/unpack.ts';
import { shimPath } from './dbt/container-spec.ts';

/** A tar with the shim at its place below the work folder. Read once: it is the same for every run. */
export async function readShimTar(): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: `${dirname(shimPath)}/`, type: 'directory', mode: 0o755, ...runnerUser });
  for (const file of [basename(shimPath), 'shim_sqlmesh.py']) {
    const content = await readFile(installed(`runner/${file}`));
    archive.entry({ name: `${dirname(shimPath)}/${file}`, mode: 0o444, ...runnerUser }, content);
  }
  archive.finalize();
  return buffer(archive as AsyncIterable<Uint8Array>);
}
