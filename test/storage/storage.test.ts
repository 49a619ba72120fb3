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
