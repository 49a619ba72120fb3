import { createHash, type Hash } from 'node:crypto';
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pack, type Pack } from 'tar-stream';
import type { Context } from '../src/context.ts';
import type { ClaimedPreparation } from '../src/preparations/lease.ts';
import {
  manifestNames,
  preparationKey,
  preparedFilesKey,
  preparedManifestKey,
} from '../src/preparations/stored-at.ts';
import { runnerUser } from '../src/projects/unpack.ts';
import { projectFolder } from './dbt/container-spec.ts';
import { entriesIn } from './entries-in.ts';
import type { Executor } from './executors/executor.ts';
import { createMask, type Mask, type MaskStream } from './masking.ts';

/** Packages with what dbt noted of their versions, and its own cache of the parsed project. */
const parts = {
  packages: ['dbt_packages', 'package-lock.yml'],
  cache: ['target/partial_parse.msgpack'],
} as const;
type Part = keyof typeof parts;

/** It tells where a package came from, which may take a secret to say. */
const versionControl = /(^|\/)\.git(\/|$)/;

export interface Kept {
  files: { digest: string; sizeBytes: number };
  hasManifest: boolean;
}

interface Source {
  executor: Executor;
  containerId: string;
  mask: Mask;
  /** Whether what was parsed may be another for each run. */
  readsRun: boolean;
}

/**
 * Stores what dbt has left of a project that it has parsed: packages and its cache for the containers of runs, and the
 * manifest for people.
 */
export async function keepPrepared(
  { storage }: Pick<Context, 'storage'>,
  source: Source,
  claimed: ClaimedPreparation,
): Promise<Kept> {
  const { id, deploymentId, lease } = claimed;
  const { executor, containerId } = source;
  const unfinished = `${preparationKey(claimed)}/${lease.token}.tar`;
  const files = await keepFiles({ storage }, source, unfinished);
  const stored = { id, deploymentId, digest: files.digest };
  await storage.copy(unfinished, preparedFilesKey(stored));
  await storage.remove(unfinished);

  let hasManifest = false;
  // What depends on the run is another manifest for each.
  if (source.readsRun) return { files, hasManifest };
  for (const name of manifestNames) {
    for await (const { header, content } of entriesIn(
      executor,
      containerId,
      `${projectFolder}/target/${name}`,
    )) {
      if (header.type !== 'file') continue;
      // However it came to depend on the run.
      const ofRun = createMask([lease.token]).stream();
      const key = preparedManifestKey(stored, name);
      await storage.write(key, masked(content, { ofRun, mask: source.mask.stream() }));
      if (ofRun.hasFound) await storage.remove(key);
      else if (name === 'manifest.json') hasManifest = true;
    }
  }
  return { files, hasManifest };
}

/** In what a container is given nothing can be masked: a part that holds a secret is not kept, nor one that is not whole. */
async function keepFiles(
  { storage }: Pick<Context, 'storage'>,
  source: Source,
  key: string,
): Promise<Kept['files']> {
  const kept = new Set<Part>(['packages', 'cache']);
  for (;;) {
    const hash = createHash('sha256');
    try {
      const { sizeBytes } = await storage.write(key, hashed(tarOf(source, kept), hash));
      return { digest: hash.digest('hex'), sizeBytes };
    } catch (error) {
      if (!(error instanceof CannotKeep)) throw error;
      kept.delete(error.part);
    }
  }
}

class CannotKeep extends Error {
  readonly part: Part;

  constructor(part: Part) {
    super('A part of what was prepared cannot be kept.');
    this.part = part;
  }
}

/** Of what comes below the work folder, as a container's tar has it. */
function tarOf(source: Source, kept: ReadonlySet<Part>): AsyncIterable<Uint8Array> {
  const archive = pack();
  const addAll = async () => {
    for (const name of ['project/', 'project/target/']) addFolder(archive, name, new Date(0));
    for (const part of kept) {
      for (const path of parts[part]) await addPart(archive, source, { part, path });
    }
  };
  addAll().then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error as Error),
  );
  return archive as AsyncIterable<Uint8Array>;
}

async function addPart(
  archive: Pack,
  source: Source,
  { part, path }: { part: Part; path: string },
): Promise<void> {
  const { executor, containerId, mask } = source;
  const refuse = (hasFound: boolean) => {
    if (hasFound) throw new CannotKeep(part);
  };
  for await (const { header, content } of entriesIn(executor, containerId, `${projectFolder}/${path}`)) {
    const { type, mtime, linkname, size, mode } = header;
    // Everything that was deployed has this time: what came with the project need not be kept.
    if (mtime.getTime() === 0) return;
    // The engine names it for the last part of the path.
    const name = `project/${posix.join(posix.dirname(path), header.name)}`;
    if (versionControl.test(name)) continue;
    refuse(mask.finds(Buffer.from(`${name}\n${linkname}`)));
    const common = { name, mtime, ...runnerUser };
    if (type === 'directory') addFolder(archive, name, mtime);
    else if (type === 'symlink') {
      if (leadsIntoProject(name, linkname)) archive.entry({ ...common, type, linkname });
    } else {
      // Without it the rest would be something else than was installed.
      if (type !== 'file') throw new CannotKeep(part);
      const executable = (mode & 0o100) !== 0;
      const entry = archive.entry({ ...common, size, mode: executable ? 0o755 : 0o644 });
      await pipeline(withoutSecrets(content, mask, refuse), entry);
    }
  }
}

function addFolder(archive: Pack, name: string, mtime: Date): void {
  archive.entry({ name, type: 'directory', mode: 0o755, mtime, ...runnerUser });
}

/** `name`: of the link, below the work folder. */
function leadsIntoProject(name: string, target: string): boolean {
  const place = posix.join(projectFolder, posix.dirname(name).replace(/^project/, ''));
  return posix.resolve(place, target).startsWith(`${projectFolder}/`);
}

async function* withoutSecrets(
  content: AsyncIterable<Uint8Array>,
  mask: Mask,
  refuse: (hasFound: boolean) => void,
): AsyncGenerator<Uint8Array> {
  const looking = mask.stream();
  for await (const piece of content) {
    looking.write(Buffer.from(piece));
    refuse(looking.hasFound);
    yield piece;
  }
  looking.end();
  refuse(looking.hasFound);
}

async function* masked(
  content: AsyncIterable<Uint8Array>,
  { ofRun, mask }: { ofRun: MaskStream; mask: MaskStream },
): AsyncGenerator<Uint8Array> {
  for await (const piece of content) {
    ofRun.write(Buffer.from(piece));
    yield mask.write(Buffer.from(piece));
  }
  ofRun.end();
  yield mask.end();
}

async function* hashed(content: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const piece of content) {
    hash.update(piece);
    yield piece;
  }
}
