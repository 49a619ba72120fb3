import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';
import type { Executor } from './executors/executor.ts';

/**
 * What is in a folder of a container, or the one file; nothing where it is not there. Each one's content is there until
 * the next is asked for.
 */
export async function* entriesIn(
  executor: Pick<Executor, 'collect'>,
  container: string,
  path: string,
): AsyncGenerator<{ header: Header; content: AsyncIterable<Uint8Array> }> {
  const archive = await executor.collect(container, path);
  if (archive === null) return;
  const entries = extract();
  const unpacked = pipeline(Readable.from(archive), entries);
  // What goes wrong is thrown below, once: nobody else may be listening yet.
  unpacked.catch(() => undefined);
  for await (const entry of entries) {
    yield { header: entry.header, content: entry as AsyncIterable<Uint8Array> };
    entry.resume();
  }
  await unpacked;
}
