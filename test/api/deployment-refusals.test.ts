import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { archiveOf, smallProject, tarOf, type Entry } from '../support/archive.ts';
import { expectNoErrors } from '../support/errors.ts';
import { paxRecord, rawTar, type RawEntry } from '../support/raw-tar.ts';
import { expectStatus } from '../support/project.ts';
import { rawRequest } from '../support/raw-request.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

const mebibyte = 1024 * 1024;
const gzip = { 'content-type': 'application/gzip' };

let system: System;
let path: string;
let storedBefore: string[];

beforeAll(async () => {
  system = await startSystem({
    workers: 0,
    environment: {
      DCTL_MAX_DEPLOYMENT_BYTES: String(mebibyte),
      DCTL_MAX_UNPACKED_BYTES: String(16 * mebibyte),
      DCTL_MAX_DEPLOYMENT_FILES: '20',
    },
  });
});
afterAll(() => system.stop());

beforeEach(async () => {
  const project = await expectStatus(
    201,
    system.call('POST', '/api/v1/projects', { name: randomBytes(6).toString('hex') }),
  );
  path = `/api/v1/projects/${project.body.id}/deployments`;
  storedBefore = await storedFiles();
});

/** Whatever was refused: no row, no file, no error in the log. */
afterEach(async () => {
  await until(
    'the storage is as it was',
    storedFiles,
    (files) => String(files) === String(storedBefore),
    10_000,
  );
  const { body } = await system.call('GET', path);
  if (body.data.length > 0)
    throw new Error(`a refused archive left a deployment: ${JSON.stringify(body.data)}`);
  expectNoErrors(system);
});

async function storedFiles(): Promise<string[]> {
  const entries = await readdir(system.environment['DCTL_STORAGE_DIR']!, {
    recursive: true,
    withFileTypes: true,
  });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => `${parentPath}/${name}`);
}

const withEntry = (entry: Entry) => () => archiveOf([...smallProject, entry]);
const withRaw = (...entries: RawEntry[]) => {
  const project = smallProject.map(({ name, content = '' }) => ({ name, content }));
  return () => gzipSync(rawTar([...project, ...entries]));
};
const projectFile = smallProject[0]!;
const cutInHalf = (whole: Buffer) => whole.subarray(0, Math.floor(whole.length / 2));

describe('an archive is refused with one sentence that says why', () => {
  test.each<[string, string, () => Promise<Buffer> | Buffer]>([
    ['empty', 'not a whole .tar.gz', () => Buffer.alloc(0)],
    ['no gzip', 'not a whole .tar.gz', () => tarOf(smallProject)],
    ['a gzip cut in half', 'not a whole .tar.gz', async () => cutInHalf(await archiveOf(smallProject))],
    [
      'a gzip of a tar cut in half',
      'not a whole .tar.gz',
      async () => gzipSync(cutInHalf(await tarOf(smallProject))),
    ],
    ['a gzip of no tar', 'not a whole .tar.gz', () => gzipSync(randomBytes(10_000))],
    ['a tar with nothing in it', 'no dbt_project.yml', () => archiveOf([])],
    ['without dbt_project.yml', 'no dbt_project.yml', () => archiveOf(smallProject.slice(1))],
    [
      'with dbt_project.yml two folders deep',
      'no dbt_project.yml',
      () => archiveOf([{ ...projectFile, name: 'a/b/dbt_project.yml' }]),
    ],
    ['with a path that leads out', 'out of its folder', withEntry({ name: '../evil.sql', content: 'x' })],
    [
      'with a path that leads out further in',
      'out of its folder',
      withEntry({ name: 'models/../../evil.sql', content: 'x' }),
    ],
    ['with an absolute path', 'absolute path', withEntry({ name: '/etc/evil', content: 'x' })],
    [
      'with a path that leads out behind ./',
      'out of its folder',
      withEntry({ name: './/../evil.sql', content: 'x' }),
    ],
    [
      'with a line break in a path',
      'not a path dbt could use',
      withEntry({ name: 'models/a\nb.sql', content: 'x' }),
    ],
    [
      'with a symbolic link',
      'is a symbolic link',
      withEntry({ name: 'models/link.sql', type: 'symlink', linkname: '/etc/passwd' }),
    ],
    [
      'with a hard link',
      'is a hard link',
      withEntry({ name: 'models/link.sql', type: 'link', linkname: 'models/one.sql' }),
    ],
    ['with a device', 'is a device', withEntry({ name: 'models/null', type: 'character-device' })],
    ['with a block device', 'is a device', withEntry({ name: 'models/sda', type: 'block-device' })],
    ['with a fifo', 'is a fifo', withEntry({ name: 'models/pipe', type: 'fifo' })],
    [
      'with too many files',
      'more than 20 files',
      () =>
        archiveOf([
          ...smallProject,
          ...Array.from({ length: 20 }, (_, index) => ({ name: `models/${index}.sql`, content: 'x' })),
        ]),
    ],
    [
      'with too many folders',
      'more than 20 files',
      () =>
        archiveOf([
          ...smallProject,
          ...Array.from({ length: 20 }, (_, index): Entry => ({ name: `f${index}/`, type: 'directory' })),
        ]),
    ],
    ['with a sparse file', 'is a sparse file', withRaw({ name: 'seeds/big.csv', type: 'S' })],
    [
      'with a sparse file of the newer kind',
      'is a sparse file',
      withRaw(
        { name: 'x', type: 'x', content: paxRecord('GNU.sparse.size', '1000000') },
        { name: 'seeds/big.csv', content: 'x' },
      ),
    ],
    ['with a type nobody knows', 'of an unknown kind', withRaw({ name: 'models/q.sql', type: 'Q' })],
    ['with a file in it twice', 'is in it twice', withEntry({ name: 'models/one.sql', content: 'x' })],
    [
      'with a file in it twice in other words',
      'is in it twice',
      withEntry({ name: './models/.//one.sql', content: 'x' }),
    ],
    [
      'with a file and a folder of one name',
      'is in it twice',
      withEntry({ name: 'models/one.sql', type: 'directory' }),
    ],
    [
      'with a file below a file',
      'is a file and a folder',
      withEntry({ name: 'models/one.sql/two.sql', content: 'x' }),
    ],
    [
      'with a folder in place of dbt_project.yml',
      'no dbt_project.yml',
      () => archiveOf([{ name: 'dbt_project.yml', type: 'directory' }, smallProject[1]!]),
    ],
    ['with a file without a name', 'not a path dbt could use', withRaw({ name: '', content: 'x' })],
    [
      'with the delete character in a path',
      'not a path',
      withEntry({ name: 'models/a\x7f.sql', content: 'x' }),
    ],
    ['with a backslash in a path', 'not a path', withEntry({ name: 'models\\a.sql', content: 'x' })],
    ['with a name no disk takes', 'not a path', withEntry({ name: `${'n'.repeat(256)}.sql`, content: 'x' })],
    ['with too long a path', 'not a path', withEntry({ name: 'deep/'.repeat(300), content: 'x' })],
    [
      'with a name that is not UTF-8',
      'not UTF-8',
      withRaw({ name: Buffer.from([0x6d, 0xfc]), content: 'x' }),
    ],
    [
      'with a file larger than a number can say',
      'not a whole .tar.gz',
      withRaw({ name: 'a', size: Buffer.from('80ffffffffffffffffffffff', 'hex') }),
    ],
    [
      'with a file smaller than nothing',
      'not a whole .tar.gz',
      withRaw({ name: 'a', size: Buffer.from('ffffffffffffffffffffff00', 'hex') }),
    ],
    [
      'with a file smaller than nothing in a PAX header',
      'not a whole .tar.gz',
      withRaw({ name: 'x', type: 'x', content: paxRecord('size', '-512') }, { name: 'a', content: 'x' }),
    ],
    [
      'with a file longer than the archive',
      'not a whole .tar.gz',
      withRaw({ name: 'a', size: 8 * 2 ** 30 - 1 }),
    ],
    ['with a PAX header of nothing', 'not a whole .tar.gz', withRaw({ name: 'x', type: 'x', content: '\0' })],
    [
      'with a path for all files at once',
      'not a whole .tar.gz',
      withRaw({ name: 'g', type: 'g', content: paxRecord('path', 'dbt_project.yml') }),
    ],
    [
      'with headers without end about one file',
      'not a whole .tar.gz',
      withRaw(...Array.from({ length: 9 }, () => ({ name: 'x', type: 'x', content: paxRecord('a', 'b') }))),
    ],
    [
      'with a huge value in a PAX header',
      'more than 64 KiB',
      withRaw({ name: 'x', type: 'x', content: paxRecord('comment', 'x'.repeat(70_000)) }),
    ],
    [
      'with a huge GNU name',
      'more than 64 KiB',
      withRaw({ name: 'x', type: 'L', content: 'x'.repeat(70_000) }, { name: 'x', content: 'x' }),
    ],
    [
      'without its end mark',
      'not a whole .tar.gz',
      async () => gzipSync((await tarOf(smallProject)).subarray(0, -1_024)),
    ],
    [
      'with a second archive behind its end',
      'goes on behind its end',
      async () => Buffer.concat([await archiveOf(smallProject), await archiveOf(smallProject)]),
    ],
    [
      'with something else behind the gzip',
      'not a whole .tar.gz',
      async () => Buffer.concat([await archiveOf(smallProject), randomBytes(5_000)]),
    ],
  ])('%s', async (_name, reason, archive) => {
    const answer = await system.call('POST', path, await archive(), gzip);
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toMatch(/^The archive is refused: [^\n]+\.$/);
    expect(answer.body.detail).toContain(reason);
  });

  test.each<[string, () => Promise<Buffer>]>([
    ['one file', withEntry({ name: 'seeds/zeros.csv', content: Buffer.alloc(17 * mebibyte) })],
    [
      'the zeros behind its end',
      async () => gzipSync(Buffer.concat([await tarOf(smallProject), Buffer.alloc(17 * mebibyte)])),
    ],
  ])('413 when it unpacks to more than the limit: %s', async (_name, archive) => {
    const answer = await system.call('POST', path, await archive(), gzip);
    expect(answer).toMatchObject({
      status: 413,
      body: { detail: expect.stringContaining('more than 16 MiB') },
    });
  });

  test('a header that wants megabytes of memory', async () => {
    const peakBefore = await peakMemoryMb();
    const archive = gzipSync(
      asPaxHeader(await tarOf([{ name: 'header', content: Buffer.alloc(15 * mebibyte) }])),
    );
    for (let count = 0; count < 10; count += 1) {
      const answer = await system.call('POST', path, archive, gzip);
      expect(answer).toMatchObject({
        status: 400,
        body: { detail: expect.stringContaining('more than 64 KiB') },
      });
    }
    expect((await peakMemoryMb()) - peakBefore).toBeLessThan(100);
  });
});

/** Turns a tar's first file into a header about the file after it. */
function asPaxHeader(tar: Buffer): Buffer {
  const [typeAt, checksumAt] = [156, 148];
  const checksum =
    parseInt(tar.toString('latin1', checksumAt, checksumAt + 6), 8) + 'x'.charCodeAt(0) - tar[typeAt]!;
  tar.write('x', typeAt);
  tar.write(checksum.toString(8).padStart(6, '0'), checksumAt);
  return tar;
}

/** The most memory the API process ever held. */
async function peakMemoryMb(): Promise<number> {
  const status = await readFile(`/proc/${system.api.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

describe('an upload', () => {
  test('over the limit is 413, sent with its length or in chunks, and its connection goes on', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const pieces = Array.from({ length: 40 }, () => randomBytes(mebibyte / 8));
    const length = { 'content-length': 5 * mebibyte };
    try {
      for (const headers of [gzip, { ...gzip, ...length }]) {
        const answer = await rawRequest(system, 'POST', path, { headers, pieces, agent });
        expect(answer.status).toBe(413);
        expect(JSON.parse(answer.text).detail).toContain('larger than 1 MiB');
        expect((await rawRequest(system, 'GET', '/livez', { agent })).status).toBe(200);
      }
    } finally {
      agent.destroy();
    }
  });

  test.each([
    'application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/x-tar',
  ])('called %s is 415 and told the right type', async (type) => {
    const answer = await system.call('POST', path, await archiveOf(smallProject), { 'content-type': type });
    expect(answer).toMatchObject({
      status: 415,
      body: { detail: expect.stringContaining('application/gzip') },
    });
  });

  test('whose sender goes away half-way leaves nothing behind', async () => {
    const { port } = new URL(system.url);
    const headers = { ...gzip, authorization: `Bearer ${system.token}`, 'content-length': mebibyte };
    const sent = request({ port, method: 'POST', path, headers });
    sent.on('error', () => undefined);
    sent.write(randomBytes(mebibyte / 2));
    await until('the upload has begun', storedFiles, (files) => files.length > storedBefore.length);
    sent.destroy();
  });
});
