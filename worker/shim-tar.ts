import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { dirname, join } from 'node:path';
import { pack } from 'tar-stream';
import { runnerUser } from '../src/projects/unpack.ts';
import { shimPath } from './dbt/container-spec.ts';

const endMarkBytes = 1_024;

/** The shim as the beginning of a tar: what comes after it (a deployment's own tar) goes on from there. */
export async function readShimTar(): Promise<Buffer> {
  const content = await readFile(join(installation(import.meta.dirname), 'runner', 'shim.py'));
  const archive = pack();
  archive.entry({ name: `${dirname(shimPath)}/`, type: 'directory', mode: 0o755, ...runnerUser });
  archive.entry({ name: shimPath, mode: 0o444, ...runnerUser }, content);
  archive.finalize();
  const whole = await buffer(archive as AsyncIterable<Uint8Array>);
  return whole.subarray(0, -endMarkBytes);
}

/** The source and the compiled file lie at different depths below it. */
function installation(from: string): string {
  if (existsSync(join(from, 'runner', 'shim.py'))) return from;
  if (dirname(from) === from) throw new Error('runner/shim.py is missing from this installation');
  return installation(dirname(from));
}
