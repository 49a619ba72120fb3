import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openStorage } from '../../src/storage/storage.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dctl-storage-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('files written at the same time by processes with one id do not mix', async () => {
  const stores = [openStorage(folder), openStorage(folder)];
  const written = stores.flatMap((storage, process) =>
    Array.from({ length: 20 }, async (_, number) => {
      const key = `${process}/${number}`;
      await storage.write(key, slowly(key));
      return key;
    }),
  );
  for (const key of await Promise.all(written)) {
    const file = await stores[0]!.read(key);
    expect(await text(file!.content)).toBe(key);
  }
});

test('a write that breaks leaves neither the file nor a part of it', async () => {
  const storage = openStorage(folder);
  const broken = async function* () {
    yield Buffer.from('half');
    throw new Error('the line broke');
  };
  await expect(storage.write('deployments/x.tar', broken())).rejects.toThrow('the line broke');
  expect(await storage.read('deployments/x.tar')).toBeUndefined();
  const left = await readdir(folder, { recursive: true, withFileTypes: true });
  expect(left.filter((entry) => entry.isFile())).toEqual([]);
});

test('a copy stays as it was whatever becomes of the first file, and takes the place of what was there', async () => {
  const storage = openStorage(folder);
  await storage.write('parsed/a', slowly('first'));
  await storage.write('runs/b', slowly('in its way'));
  expect(await storage.copy('parsed/a', 'runs/b')).toEqual({ sizeBytes: 5 });
  // Again is the same as once.
  expect(await storage.copy('parsed/a', 'runs/b')).toEqual({ sizeBytes: 5 });
  await storage.write('parsed/a', slowly('second'));
  expect(await text((await storage.read('runs/b'))!.content)).toBe('first');
  await storage.remove('parsed');
  expect(await storage.sizeOf('runs/b')).toBe(5);
  expect(await storage.copy('parsed/a', 'runs/c')).toBeUndefined();
  expect((await readdir(folder, { recursive: true })).toSorted()).toEqual(['runs', 'runs/b']);
});

test('of what is below a key only what is named is left', async () => {
  const storage = openStorage(folder);
  for (const key of ['a/b/c', 'a/d/e', 'a/f', 'g/h']) await storage.write(key, slowly('x'));
  await storage.removeBut('a', 'd');
  await storage.removeBut('nowhere', 'd');
  expect((await readdir(folder, { recursive: true })).toSorted()).toEqual(['a', 'a/d', 'a/d/e', 'g', 'g/h']);
});

test.each(['../outside', 'a/../../outside', '/etc/passwd', 'a\0b', ''])(
  'the key %j leads nowhere',
  async (key) => {
    const storage = openStorage(folder);
    await expect(storage.read(key)).rejects.toThrow('leaves its folder');
    await expect(storage.write(key, slowly('x'))).rejects.toThrow('leaves its folder');
  },
);

test('a folder, or a link to one, is no file', async () => {
  const storage = openStorage(folder);
  await storage.write('a/b', slowly('x'));
  await symlink('/etc', join(folder, 'link'));
  expect(await storage.read('a')).toBeUndefined();
  expect(await storage.read('link')).toBeUndefined();
});

async function* slowly(content: string): AsyncGenerator<Uint8Array> {
  for (const character of content) {
    await new Promise((resolve) => setImmediate(resolve));
    yield Buffer.from(character);
  }
}
