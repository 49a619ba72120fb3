import { expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import Docker from 'dockerode';
import { pack } from 'tar-stream';

test("the shim's own unit tests pass in the runner image", async () => {
  const docker = new Docker();
  const container = await docker.createContainer({
    Image: process.env['DCTL_TEST_RUNNER_IMAGE'] ?? '',
    Cmd: ['python3', '-m', 'unittest', 'test_shim'],
    WorkingDir: '/tmp',
    Tty: true,
    HostConfig: { NetworkMode: 'none' },
  });
  try {
    const files = pack();
    for (const name of ['shim.py', 'test_shim.py']) {
      files.entry({ name, mode: 0o644 }, await readFile(`runner/${name}`));
    }
    files.finalize();
    await container.putArchive(await buffer(files as AsyncIterable<Uint8Array>), { path: '/tmp' });
    await container.start();
    const { StatusCode: exitCode } = await container.wait();
    const said = (await container.logs({ stdout: true, stderr: true })).toString();
    expect({ exitCode, said }).toEqual({
      exitCode: 0,
      said: expect.stringMatching(/Ran [1-9]\d* tests[^]*OK/),
    });
  } finally {
    await container.remove({ force: true, v: true });
  }
});
