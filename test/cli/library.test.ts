import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deployProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

const run = promisify(execFile);

let system: System;
let folder: string;

/** A project of somebody else's, in which the package that `npm pack` makes is installed. */
beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  folder = await mkdtemp(join(tmpdir(), 'dctl-library-'));
  const installed = join(folder, 'node_modules', 'dctl');
  await mkdir(installed, { recursive: true });
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder]);
  const [archive = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  await run('tar', ['-xzf', join(folder, archive), '-C', installed, '--strip-components=1']);
  await writeFile(join(folder, 'package.json'), '{"type": "module"}');
});
afterAll(async () => {
  await system.stop();
  await rm(folder, { recursive: true, force: true });
});

const script = `
import { DctlClient, DctlError, isFinal, verifyWebhook, watchRun, followLog } from 'dctl';

const client = new DctlClient({ url: process.env.DCTL_URL ?? '', token: process.env.DCTL_TOKEN ?? '' });
const names: string[] = [];
for await (const project of client.items('listProjects')) names.push(project.name);
const refusal = await client
  .call('getRun', { path: { run_id: 'none' } })
  .catch((error: unknown) => (error instanceof DctlError ? \`\${error.status} \${error.code}\` : 'other'));
console.log(JSON.stringify({ names, refusal, functions: [isFinal, verifyWebhook, watchRun, followLog].length }));
`;

test('a program imports the client, and its types know the API', async () => {
  await deployProject(system, { name: 'shop' });
  await writeFile(join(folder, 'script.ts'), script);
  const env = { PATH: process.env['PATH'] ?? '', DCTL_URL: system.url, DCTL_TOKEN: system.token };
  const { stdout } = await run(process.execPath, ['script.ts'], { cwd: folder, env });
  expect(JSON.parse(stdout)).toEqual({ names: ['shop'], refusal: '404 not_found', functions: 4 });

  const tsc = (file: string) =>
    run(
      join(process.cwd(), 'node_modules/.bin/tsc'),
      [
        ...'--noEmit --strict --module nodenext --target es2024 --types node --typeRoots'.split(' '),
        join(process.cwd(), 'node_modules/@types'),
        file,
      ],
      { cwd: folder, env },
    );
  await tsc('script.ts');
  await writeFile(join(folder, 'wrong.ts'), script.replace('run_id', 'runId'));
  await expect(tsc('wrong.ts')).rejects.toMatchObject({ stdout: expect.stringContaining('runId') });
});

test('the package holds the client and the command, nothing of the server, and the command works from it', async () => {
  const installed = join(folder, 'node_modules', 'dctl');
  const folders = (await readdir(installed, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath }) =>
      parentPath
        .slice(installed.length + 1)
        .split('/')
        .slice(0, 2)
        .join('/'),
    );
  expect([...new Set(folders)].toSorted()).toEqual(['', 'cli', 'dist/cli', 'dist/client']);

  for (const name of ['ignore', 'tar-stream', 'yaml'])
    await symlink(join(process.cwd(), 'node_modules', name), join(folder, 'node_modules', name));
  const env = { PATH: process.env['PATH'] ?? '', DCTL_URL: system.url, DCTL_TOKEN: system.token };
  const program = join(installed, 'cli/dctl.mjs');
  const { stdout } = await run(process.execPath, [program, 'projects', '--json'], { cwd: folder, env });
  expect(JSON.parse(stdout)).toEqual(expect.any(Array));
  await expect(run(program, ['nonsense'], { env })).rejects.toMatchObject({ code: 3 });
});
