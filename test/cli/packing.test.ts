import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { listFiles } from '../../cli/pack/list-files.ts';
import { digestOf, packFiles } from '../../cli/pack/pack.ts';
import { secretsIn } from '../../cli/pack/secrets-in.ts';
import { inspectArchive } from '../../src/projects/unpack.ts';

let top: string;
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'dctl-pack-'));
});
afterEach(() => rm(top, { recursive: true, force: true }));

async function write(files: Record<string, string>, folder = top): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}
const pathsIn = async (folder = top) => (await listFiles(folder)).map(({ path }) => path);
const small = { 'dbt_project.yml': 'name: small\n', 'models/one.sql': 'select 1\n' };

describe('which files go', () => {
  test('what git would not track stays behind: as git itself says', async () => {
    await write({
      ...small,
      '.gitignore': '*.csv\n!seeds/kept.csv\n/only_top.sql\nprivate/\n# a comment\n',
      'seeds/kept.csv': 'a',
      'seeds/left.csv': 'a',
      'only_top.sql': 'x',
      'models/only_top.sql': 'x',
      'models/private/a.sql': 'x',
      'models/.gitignore': 'draft_*\n!draft_but_kept.sql\n',
      'models/draft_a.sql': 'x',
      'models/draft_but_kept.sql': 'x',
    });
    const git = (...args: string[]) => execFileSync('git', ['-C', top, ...args], { encoding: 'utf8' });
    git('init', '-q');
    const tracked = git('ls-files', '--others', '--exclude-standard').trim().split('\n').toSorted();
    expect(await pathsIn()).toEqual(tracked);
    expect(tracked).toContain('models/draft_but_kept.sql');
  });

  test('the rules of the repository count in a project that is one of its folders', async () => {
    await write({ '.gitignore': '*.tmp\n/shop/local/\n', '.git/HEAD': 'x' });
    await write(
      { ...small, 'a.tmp': 'x', 'local/a.sql': 'x', '.dctlignore': 'notes/\n', 'notes/a.md': 'x' },
      join(top, 'shop'),
    );
    expect(await pathsIn(join(top, 'shop'))).toEqual(['.dctlignore', 'dbt_project.yml', 'models/one.sql']);
  });

  test('what local runs leave behind stays behind without any rule', async () => {
    await write({
      ...small,
      'target/manifest.json': '{}',
      'logs/dbt.log': 'x',
      '.venv/bin/dbt': 'x',
      'macros/__pycache__/a.pyc': 'x',
      '.DS_Store': 'x',
      'models/target/kept.sql': 'x',
    });
    expect(await pathsIn()).toEqual(['dbt_project.yml', 'models/one.sql', 'models/target/kept.sql']);
  });

  test('links inside the project are followed; those that lead out, nowhere or in a circle are refused', async () => {
    await write({ ...small, 'shared/macro.sql': 'x' });
    await symlink('../shared', join(top, 'models', 'shared'));
    expect(await pathsIn()).toContain('models/shared/macro.sql');

    await symlink('..', join(top, 'models', 'loop'));
    await expect(listFiles(top)).rejects.toThrow('circle');
    await rm(join(top, 'models', 'loop'));
    await symlink('/etc/passwd', join(top, 'models', 'passwd.sql'));
    await expect(listFiles(top)).rejects.toThrow('leads out of the project');
    await write({ '.git/config': '[remote]' });
    await symlink('../.git/config', join(top, 'models', 'config.md'));
    await write({ '.dctlignore': 'passwd.sql\n' });
    await expect(listFiles(top)).rejects.toThrow('config.md is a link that leads out of the project');
    await rm(join(top, 'models', 'config.md'));
    expect(await pathsIn()).not.toContain('models/passwd.sql');
    await symlink('gone', join(top, 'nowhere'));
    await expect(listFiles(top)).rejects.toThrow('leads nowhere');
  });
});

describe('the archive', () => {
  test('is the same bytes for the same files, whenever and in whatever folder', async () => {
    const [first, second] = [join(top, 'a'), join(top, 'b')];
    await write(small, first);
    await write(Object.fromEntries(Object.entries(small).toReversed()), second);
    await utimes(join(second, 'dbt_project.yml'), new Date(0), new Date(0));
    await chmod(join(second, 'models/one.sql'), 0o600);
    const [one, two] = await Promise.all(
      [first, second].map(async (each) => packFiles(await listFiles(each))),
    );
    expect(Buffer.compare(one!, two!)).toBe(0);
    expect(gunzipSync(one!).toString()).toContain('dbt_project.yml');
  });

  test('has the digest that the server will make of it', async () => {
    await write({
      ...small,
      'models/é.sql': 'x',
      'models/Z.sql': 'x',
      'a/b': '',
      'a.sql': 'x',
      'models/😀.sql': '1',
    });
    const files = await listFiles(top);
    const limits = { maxFiles: 100, maxUnpackedBytes: 1_000_000 };
    const judged = await inspectArchive(Readable.from([await packFiles(files)]), limits, 'dbt');
    expect(await digestOf(files)).toBe(judged.digest);
    expect(judged).toMatchObject({
      fileCount: files.length,
      sizeBytes: files.reduce((sum, { size }) => sum + size, 0),
    });
  });
});

describe('a file that looks like a secret', () => {
  test('is found behind a link of another name', async () => {
    await write({ ...small, '.gitignore': '.env\n', '.env': 'PASSWORD=hunter2' });
    await symlink('../.env', join(top, 'models', 'notes.md'));
    const found = await secretsIn(await listFiles(top));
    expect(found).toEqual([{ path: 'models/notes.md', why: expect.any(String) }]);
  });

  const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n';
  const token = `dctl_${createHash('sha256').update('x').digest('hex').slice(0, 36)}`;
  test.each<[string, string]>([
    ['.env', 'A=1'],
    ['config/.env.production', 'A=1'],
    ['keys/server.pem', 'x'],
    ['id_ed25519', 'x'],
    ['service-account-prod.json', '{}'],
    ['macros/notes.md', key],
    ['seeds/tokens.csv', `name,token\nci,${token}\n`],
    ['models/a.sql', "select 'AKIAIOSFODNN7EXAMPLE'"],
    ['profiles.yml', 'shop:\n  outputs:\n    dev:\n      password: hunter2\n'],
    ['profiles.yml', 'shop:\n  outputs:\n    dev:\n      pass: "hunter2"\n'],
  ])('%s is found', async (path, content) => {
    await write({ ...small, [path]: content });
    const found = await secretsIn(await listFiles(top));
    expect(found).toEqual([{ path, why: expect.any(String) }]);
  });

  test.each<[string, string]>([
    ['.env.example', 'A='],
    ['models/keys.sql', 'select 1 as password'],
    ['models/schema.yml', 'columns:\n  - name: password\n    description: hashed\n'],
    [
      'profiles.yml',
      `shop:\n  outputs:\n    dev:\n      password: "{{ env_var('DBT_PASSWORD') }}"\n      pass: {{ env_var('X') }}\n`,
    ],
    ['profiles.yml', 'shop:\n  outputs:\n    dev:\n      # password: hunter2\n      password:\n'],
  ])('%s is not one', async (path, content) => {
    await write({ ...small, [path]: content });
    expect(await secretsIn(await listFiles(top))).toEqual([]);
  });
});
