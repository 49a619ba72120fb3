import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { pack } from 'tar-stream';
import type { ProjectType } from '../commands/project-type.ts';
import { readTar, type TarEntry } from './read-tar.ts';
import { notWhole, refuseArchive, refuseLargeArchive } from './refuse-archive.ts';

export interface ArchiveLimits {
  maxUnpackedBytes: number;
  maxFiles: number;
}

export interface ArchiveContents {
  /** `sha256:` over the files' paths and contents, in the order of their paths. */
  digest: string;
  fileCount: number;
  sizeBytes: number;
  /** Where the file is that makes it a project: '' or a folder with a slash at its end. */
  root: string;
}

/** Who owns the files inside a run's container. */
export const runnerUser = { uid: 65_532, gid: 65_532 } as const;

/** The file that makes a folder a project: one of these, which the program finds by itself. */
const projectFiles: Record<ProjectType, readonly string[]> = {
  dbt: ['dbt_project.yml'],
  sqlmesh: ['config.yaml', 'config.yml', 'config.py', 'sqlmesh.yaml', 'sqlmesh.yml'],
};
/** Left behind by earlier local runs, or never of use to one: not part of a deployment. */
const leftOut =
  /^(target|logs|\.cache|\.git|\.venv|venv|__MACOSX)\/|(^|\/)(\._[^/]*|\.DS_Store|__pycache__\/.*)$/;

const maxPathBytes = 1_000;
/** What Linux takes for one name. */
const maxNameBytes = 255;
/** All paths are in memory at once. */
const maxPathBytesInAll = 8 * 1024 * 1024;

interface Found {
  kind: TarEntry['kind'];
  sizeBytes: number;
  sha256: string;
}

/**
 * Reads a `.tar.gz` once and judges it, keeping nothing: paths, kinds, number and size of its files.
 * Refuses with one sentence that says what to change.
 */
export async function inspectArchive(
  archive: Readable,
  limits: ArchiveLimits,
  projectType: ProjectType,
): Promise<ArchiveContents> {
  const found = new Map<string, Found>();
  let entries = 0;
  let pathBytes = 0;
  await eachEntry(archive, limits, async ({ kind, sizeBytes, content }, path) => {
    entries += 1;
    pathBytes += Buffer.byteLength(path);
    if (entries > limits.maxFiles)
      refuseArchive(`it has more than ${limits.maxFiles} files. Leave out what dbt does not need`);
    if (pathBytes > maxPathBytesInAll)
      refuseArchive('its paths are too long altogether. Leave out what dbt does not need');

    const earlier = found.get(path);
    if (earlier !== undefined && (earlier.kind !== 'folder' || kind !== 'folder'))
      refuseArchive(`${shown(path)} is in it twice. Pack each file once`);
    const hash = createHash('sha256');
    if (kind === 'file') for await (const chunk of content) hash.update(chunk);
    found.set(path, { kind, sizeBytes, sha256: hash.digest('hex') });
  });

  const paths = [...found].filter(([, { kind }]) => kind === 'file').map(([path]) => path);
  const root = rootOf(paths, projectType);
  const kept = [...found]
    .map(([path, each]) => ({ ...each, path: path.slice(root.length), isInside: path.startsWith(root) }))
    .filter(({ path, isInside }) => isInside && path !== '' && !leftOut.test(path));
  for (const { path, kind } of kept) refuseUnlessPlain(path, kind);
  refuseFilesAsFolders(kept);

  const files = kept.filter(({ kind }) => kind === 'file');
  const digest = createHash('sha256');
  for (const { path, sha256 } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    digest.update(`${path}\0${sha256}\n`);
  }
  return {
    digest: `sha256:${digest.digest('hex')}`,
    fileCount: files.length,
    sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
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
  eachEntry(archive, limits, async ({ kind, sizeBytes, isExecutable, content }, path) => {
    const name = path.slice(root.length);
    if (!path.startsWith(root) || name === '' || leftOut.test(name)) return;
    refuseUnlessPlain(name, kind);
    const common = { name: `project/${name}`, mtime: new Date(0), ...runnerUser };
    if (kind === 'folder') {
      packed.entry({ ...common, type: 'directory', mode: 0o755 });
      return;
    }
    const entry = packed.entry({ ...common, size: sizeBytes, mode: isExecutable ? 0o755 : 0o644 });
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
  visit: (entry: TarEntry, path: string) => Promise<void>,
): Promise<void> {
  try {
    await pipeline(archive, createGunzip(), async (unpacked: AsyncIterable<Uint8Array>) => {
      for await (const entry of readTar(atMost(limits.maxUnpackedBytes, unpacked))) {
        await visit(entry, safePath(entry));
      }
    });
  } catch (error) {
    // zlib's own errors are about the archive; the disk's are not.
    if ((error as { code?: string }).code?.startsWith('Z_')) refuseArchive(notWhole, { cause: error });
    throw error;
  }
}

async function* atMost(maxBytes: number, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      const limit = `${Math.floor(maxBytes / 1024 / 1024)} MiB`;
      refuseLargeArchive(`it unpacks to more than ${limit}. Leave out data that is not part of the project`);
    }
    yield chunk;
  }
}

/** The one way to write a path: no `.`, no empty part, no slash at its end. '' is the archive's top. */
function safePath({ path: given, kind }: TarEntry): string {
  if (given.startsWith('/'))
    refuseArchive(`${shown(given)} is an absolute path. Pack with paths relative to the project's folder`);
  const parts = given.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    refuseArchive(`${shown(given)} leads out of its folder. Pack with paths inside the project`);
  const path = parts.join('/');
  const isTooLong =
    Buffer.byteLength(path) > maxPathBytes || parts.some((part) => Buffer.byteLength(part) > maxNameBytes);
  const isNoFile = kind !== 'folder' && (path === '' || given.endsWith('/'));
  if (isTooLong || isNoFile || /[\p{Cc}\\]/u.test(path))
    refuseArchive(`${shown(given)} is not a path dbt could use. Rename that file`);
  return path;
}

function refuseUnlessPlain(path: string, kind: TarEntry['kind']): void {
  if (kind === 'file' || kind === 'folder') return;
  const hint = kind === 'sparse file' ? 'tar without --sparse does' : 'tar --dereference follows links';
  refuseArchive(`${shown(path)} is a ${kind}. Pack plain files only (${hint})`);
}

/** No disk can hold both `a` and `a/b` where `a` is a file. */
function refuseFilesAsFolders(kept: { path: string; kind: TarEntry['kind'] }[]): void {
  // With the lowest of all characters for the slash, what is below a path comes right after it.
  const sorted = kept
    .map(({ path, kind }) => ({ path, kind, key: path.replaceAll('/', '\0') }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  sorted.forEach(({ path, kind }, index) => {
    if (kind === 'file' && sorted[index + 1]?.path.startsWith(`${path}/`) === true)
      refuseArchive(`${shown(path)} is a file and a folder in it. Rename one of the two`);
  });
}

/** Where the project begins: at the top of the archive, or in the one folder at the top that holds a project. */
function rootOf(paths: string[], projectType: ProjectType): string {
  const files = projectFiles[projectType];
  if (paths.some((path) => files.includes(path))) return '';
  const roots = new Set(
    paths
      .map((path) => path.split('/'))
      .filter(([, name, ...deeper]) => name !== undefined && files.includes(name) && deeper.length === 0)
      .map(([folder]) => `${folder}/`),
  );
  const [root, ...others] = roots;
  if (root === undefined) {
    const [usual, ...rest] = files;
    const missing = rest.length === 0 ? usual : `${usual} (or config.yml, config.py)`;
    refuseArchive(
      `it has no ${missing} at its top. Pack the project's folder: tar -czf project.tar.gz -C <folder> .`,
    );
  }
  if (others.length > 0)
    refuseArchive(`it holds ${roots.size} projects side by side. Pack one project's folder`);
  return root;
}

/** A path as it may be told: short, on one line, nothing that a terminal would act on. */
function shown(path: string): string {
  return JSON.stringify(path.slice(0, 120)).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}
