import { createHash } from 'node:crypto';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, pack, type Extract, type Header } from 'tar-stream';
import { AppError } from '../errors.ts';

export interface ArchiveLimits {
  maxUnpackedBytes: number;
  maxFiles: number;
}

export interface ArchiveContents {
  /** `sha256:` over the files' paths and contents, in the order of their paths. */
  digest: string;
  fileCount: number;
  sizeBytes: number;
  /** Where `dbt_project.yml` is: '' or a folder with a slash at its end. */
  root: string;
}

/** Who owns the files inside a run's container. */
export const runnerUser = { uid: 65_532, gid: 65_532 } as const;

type Entry = Extract extends AsyncIterable<infer Each> ? Each : never;

const projectFile = 'dbt_project.yml';
/** Left behind by earlier local runs, or never of use to one: not part of a deployment. */
const leftOut = /^(target|logs|\.git|\.venv|venv|__MACOSX)\/|(^|\/)(\._[^/]*|\.DS_Store|__pycache__\/.*)$/;

/**
 * Reads a `.tar.gz` once and judges it, keeping nothing: paths, kinds, number and size of its files.
 * Refuses with one sentence that says what to change.
 */
export async function inspectArchive(archive: Readable, limits: ArchiveLimits): Promise<ArchiveContents> {
  const files = new Map<string, { sha256: string; sizeBytes: number }>();
  let entries = 0;
  await eachEntry(archive, limits, async (header, path, content) => {
    entries += 1;
    if (entries > limits.maxFiles)
      refuse(`it has more than ${limits.maxFiles} files. Leave out what dbt does not need`);
    if (header.type === 'directory') return void content.resume();
    const hash = createHash('sha256');
    for await (const chunk of content) hash.update(chunk as Buffer);
    files.set(path, { sha256: hash.digest('hex'), sizeBytes: header.size });
  });

  const root = rootOf([...files.keys()]);
  const kept = [...files].filter(([path]) => path.startsWith(root) && !leftOut.test(path.slice(root.length)));
  const digest = createHash('sha256');
  for (const [path, { sha256 }] of kept.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    digest.update(`${path.slice(root.length)}\0${sha256}\n`);
  }
  return {
    digest: `sha256:${digest.digest('hex')}`,
    fileCount: kept.length,
    sizeBytes: kept.reduce((sum, [, file]) => sum + file.sizeBytes, 0),
    root,
  };
}

/**
 * The inspected archive as an uncompressed tar of `project/...`, owned by the runner's user: what a container
 * is given as it stands.
 */
export function repackArchive(
  archive: Readable,
  { root }: ArchiveContents,
  limits: ArchiveLimits,
): AsyncIterable<Uint8Array> {
  const packed = pack();
  packed.entry({ name: 'project/', type: 'directory', mode: 0o755, mtime: new Date(0), ...runnerUser });
  eachEntry(archive, limits, async (header, path, content) => {
    const name = path.slice(root.length);
    if (!path.startsWith(root) || name === '' || leftOut.test(name)) return void content.resume();
    const executable = (header.mode & 0o100) !== 0;
    const common = { name: `project/${name}`, mtime: new Date(0), ...runnerUser };
    if (header.type === 'directory') {
      packed.entry({ ...common, type: 'directory', mode: 0o755 });
      return void content.resume();
    }
    const entry = packed.entry({ ...common, size: header.size, mode: executable ? 0o755 : 0o644 });
    await pipeline(content, entry);
  }).then(
    () => packed.finalize(),
    (error: unknown) => packed.destroy(error as Error),
  );
  return packed as AsyncIterable<Uint8Array>;
}

async function eachEntry(
  archive: Readable,
  limits: ArchiveLimits,
  visit: (header: Header, path: string, content: Entry) => Promise<void>,
): Promise<void> {
  const entries = extract();
  const unpacked = pipeline(archive, createGunzip(), ceiling(limits.maxUnpackedBytes), entries).catch(
    (error: unknown) => {
      entries.destroy(error as Error);
      throw asRefusal(error);
    },
  );
  const visited = (async () => {
    for await (const entry of entries) {
      await visit(entry.header, safePath(entry.header), entry);
      entry.resume();
    }
  })();
  // A refusal by either side ends the other; the refusal itself is the one to tell.
  const results = await Promise.allSettled([
    visited.catch((error: unknown) => {
      archive.destroy();
      throw error;
    }),
    unpacked,
  ]);
  const reasons = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  const told = reasons.find((reason) => reason instanceof AppError) ?? reasons[0];
  if (told !== undefined) throw told;
}

function safePath(header: Header): string {
  const shown = JSON.stringify(header.name.slice(0, 120));
  if (header.type !== 'file' && header.type !== 'contiguous-file' && header.type !== 'directory') {
    refuse(`${shown} is a ${header.type}. Pack plain files only (tar --dereference follows links)`);
  }
  const path = header.name.replace(/^(\.\/+)+/, '').replace(/\/{2,}/g, '/');
  if (path.startsWith('/'))
    refuse(`${shown} is an absolute path. Pack with paths relative to the project's folder`);
  if (path.split('/').includes('..'))
    refuse(`${shown} leads out of its folder. Pack with paths inside the project`);
  if (path.length > 1_000 || /[\p{Cc}\\]/u.test(path))
    refuse(`${shown} is not a path dbt could use. Rename that file`);
  return path === '.' ? '' : path;
}

/** Where the project begins: at the top of the archive, or in the one folder at the top that holds a project. */
function rootOf(paths: string[]): string {
  if (paths.includes(projectFile)) return '';
  const roots = paths
    .filter((path) => path.endsWith(`/${projectFile}`) && path.split('/').length === 2)
    .map((path) => path.slice(0, -projectFile.length));
  const [root, ...others] = roots;
  if (root === undefined) {
    refuse(
      `it has no ${projectFile} at its top. Pack the project's folder: tar -czf project.tar.gz -C <folder> .`,
    );
  }
  if (others.length > 0) refuse(`it holds ${roots.length} projects side by side. Pack one project's folder`);
  return root;
}

function ceiling(maxBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= maxBytes) return done(null, chunk);
      done(
        tooLarge(
          `it unpacks to more than ${Math.floor(maxBytes / 1024 / 1024)} MiB. Leave out data that is not part of the project`,
        ),
      );
    },
  });
}

function asRefusal(error: unknown): unknown {
  const { code, syscall } = error as { code?: string; syscall?: string };
  // The disk's errors, and an end that came from elsewhere in the pipeline, say nothing of the archive.
  if (error instanceof AppError || syscall !== undefined || code?.startsWith('ERR_')) return error;
  return new AppError('invalid_request', sentence('it is not a whole .tar.gz file'), { cause: error });
}

const sentence = (reason: string) => `The archive is refused: ${reason}.`;
const tooLarge = (reason: string) => new AppError('too_large', sentence(reason));

function refuse(reason: string): never {
  throw new AppError('invalid_request', sentence(reason));
}
