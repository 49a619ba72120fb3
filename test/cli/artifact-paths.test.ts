import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { expect, test } from '@jest/globals';
import { artifactsDownload } from '../../cli/commands/artifacts-download.ts';
import { openOutput } from '../../cli/output/output.ts';
import type { Shell } from '../../cli/shell.ts';

/** Fetches what a server says a run left, into a folder of its own. Answers what is then there. */
async function fetched(path: string): Promise<string[]> {
  const top = await mkdtemp(join(tmpdir(), 'dctl-artifacts-'));
  const stream = () => Object.assign(new PassThrough(), { isTTY: false }) as unknown as WriteStream;
  const client = () => ({
    call: async (name: string) =>
      name === 'getRun' ? { id: 'run' } : { data: [{ path, step: 1, size_bytes: 1 }] },
    open: async () => new Response('x'),
  });
  const out = openOutput({ stdout: stream(), stderr: stream() }, true);
  const shell = { out, client, folder: top, environment: {} } as unknown as Shell;
  try {
    await artifactsDownload.run(shell, { run: 'run', files: [], into: 'here' });
    return (await readdir(top, { recursive: true })).toSorted();
  } finally {
    await rm(top, { recursive: true, force: true });
  }
}

test.each(['../out.txt', 'a/../../out.txt', '..\\out.txt', '.git/config', 'a/.GIT/hooks/pre-push', 'a\0b'])(
  'an artifact of the path %j is not fetched: it leads out of the folder, or into what git runs',
  async (path) => {
    await expect(fetched(path)).rejects.toThrow('leads out of');
  },
);

test('an artifact of an absolute path stays below the folder', async () => {
  expect(await fetched('/etc/a.json')).toEqual(['here', 'here/etc', 'here/etc/a.json']);
});
