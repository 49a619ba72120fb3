import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
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
  /** Removes a file or everything below a key; missing is fine. */
  remove(key: string): Promise<void>;
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
      const found = await stat(pathOf(key)).catch(() => undefined);
      return found?.isFile() ?? false;
    },
    async remove(key) {
      await rm(pathOf(key), { recursive: true, force: true });
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
