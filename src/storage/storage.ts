import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Files under one folder of the local disk, named by slash-separated keys. Shared by API and workers. */
export interface Storage {
  /**
   * Writes the whole stream or nothing: a reader never sees half a file. `durable` waits until the disk has it.
   */
  write(
    key: string,
    content: AsyncIterable<Uint8Array>,
    options?: { durable?: boolean },
  ): Promise<{ sizeBytes: number }>;
  /** Undefined when there is no such file. */
  read(key: string): Promise<{ sizeBytes: number; content: Readable } | undefined>;
  has(key: string): Promise<boolean>;
  /** Null when there is no such file. */
  sizeOf(key: string): Promise<number | null>;
  /**
   * The same file under another key as well, in place of what is there; on the disk it is there once. Undefined when
   * there is no such file.
   */
  copy(from: string, to: string): Promise<{ sizeBytes: number } | undefined>;
  /** Removes a file or everything below a key; missing is fine. */
  remove(key: string): Promise<void>;
  /** Removes what is directly below a key, but for one name. */
  removeBut(key: string, name: string): Promise<void>;
  /**
   * Removes what was left half-written, and what is directly below `key`, unless somebody has written to it in the last
   * `olderThanMs`. Returns how many files that were.
   */
  removeLeftovers(key: string, olderThanMs: number): Promise<number>;
}

const unfinishedPrefix = '.unfinished-';

export function openStorage(directory: string): Storage {
  const root = resolve(directory);
  const pathOf = (key: string) => {
    const path = resolve(root, key);
    if (key.includes('\0') || !path.startsWith(root + sep))
      throw new Error('a storage key leaves its folder');
    return path;
  };

  const sizeOf = async (key: string) => {
    const found = await stat(pathOf(key)).catch(() => undefined);
    return found?.isFile() === true ? found.size : null;
  };

  return {
    async write(key, content, { durable = false } = {}) {
      const path = pathOf(key);
      const unfinished = join(root, unfinishedPrefix + randomUUID());
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      try {
        const file = createWriteStream(unfinished, { mode: 0o600, flags: 'wx', flush: durable });
        await pipeline(content, file);
        const sizeBytes = file.bytesWritten;
        await rename(unfinished, path);
        return { sizeBytes };
      } catch (error) {
        await rm(unfinished, { force: true });
        throw error;
      }
    },
    async read(key) {
      const file = await open(pathOf(key), 'r').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
        throw error;
      });
      if (file === undefined) return undefined;
      const found = await file.stat();
      if (!found.isFile()) {
        await file.close();
        return undefined;
      }
      return { sizeBytes: found.size, content: createReadStream('', { fd: file }) };
    },
    async has(key) {
      return (await sizeOf(key)) !== null;
    },
    sizeOf,
    async copy(from, to) {
      const source = pathOf(from);
      const path = pathOf(to);
      const unfinished = join(root, unfinishedPrefix + randomUUID());
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      try {
        // Where the disk knows no links, or no more of this file.
        await link(source, unfinished).catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw error;
          return copyFile(source, unfinished);
        });
        const { size: sizeBytes } = await stat(unfinished);
        await rename(unfinished, path);
        return { sizeBytes };
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
        throw error;
      } finally {
        // Still there where both are one file already.
        await rm(unfinished, { force: true });
      }
    },
    async remove(key) {
      await rm(pathOf(key), { recursive: true, force: true });
    },
    async removeBut(key, name) {
      const names = await readdir(pathOf(key)).catch(unlessMissing([]));
      for (const each of names) {
        if (each !== name) await rm(join(pathOf(key), each), { recursive: true, force: true });
      }
    },
    async removeLeftovers(key, olderThanMs) {
      const unfinished = (await readdir(root).catch(unlessMissing([]))).filter((name) =>
        name.startsWith(unfinishedPrefix),
      );
      const below = await readdir(pathOf(key)).catch(unlessMissing([]));
      const paths = [
        ...unfinished.map((name) => join(root, name)),
        ...below.map((name) => join(pathOf(key), name)),
      ];
      let removed = 0;
      for (const path of paths) {
        const found = await stat(path).catch(unlessMissing(undefined));
        if (found === undefined || found.mtimeMs > Date.now() - olderThanMs) continue;
        await rm(path, { recursive: true, force: true });
        removed += 1;
      }
      return removed;
    },
  };
}

function unlessMissing<Otherwise>(otherwise: Otherwise): (error: NodeJS.ErrnoException) => Otherwise {
  return (error) => {
    if (error.code === 'ENOENT') return otherwise;
    throw error;
  };
}
