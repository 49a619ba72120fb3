import { Readable } from 'node:stream';
import type { Context } from '../src/context.ts';
import { artifactKey, isArtifactPath } from '../src/runs/artifact-path.ts';
import { manifestNames } from '../src/preparations/stored-at.ts';
import type { ClaimedRun } from '../src/runs/lease.ts';
import { recordArtifacts } from '../src/runs/progress.ts';
import { findSteps } from '../src/runs/store.ts';
import { completeResults } from './complete-results.ts';
import { containerName, projectFolder, stepsFolder } from './dbt/container-spec.ts';
import { entriesIn } from './entries-in.ts';
import type { Executor } from './executors/executor.ts';
import type { Mask } from './masking.ts';
import { takenManifest } from './prepared-run.ts';

const maxFiles = 20_000;
/** dbt's own working files: of no use to people, and large. */
const workingFiles = /^(graph(_summary)?\.(gpickle|json)|partial_parse\.msgpack)$/;
const targetFolder = `${projectFolder}/target`;

/**
 * Stores the files that dbt left in its target folder, if its container is there, and in its name the results that it
 * could not write any more. Of several steps each one's: the shim has put them aside when
 * the step ended, and those of a step that did not come to its end are what is new in the target folder.
 */
export async function collectArtifacts(
  context: Context,
  executor: Pick<Executor, 'collect'>,
  run: ClaimedRun,
  mask: Mask,
): Promise<void> {
  const { db, log } = context;
  const kept = keepFiles(context, run, mask);
  const filesOf = (folder: string) => filesIn(executor, run.containerId ?? containerName(run.id), folder);
  if (run.settings.steps.length === 1) {
    for await (const file of filesOf(targetFolder)) await kept.add(1, file);
  } else {
    const earlier = new Set<string>();
    for await (const file of filesOf(stepsFolder)) {
      const [, step, path] = /^([1-9]\d{0,2})\/(.+)$/.exec(file.path) ?? [];
      if (step === undefined || path === undefined) continue;
      earlier.add(sameFile({ ...file, path }));
      await kept.add(Number(step), { ...file, path });
    }
    const cutShort = (await findSteps(db, [run.id])).findLast(
      ({ status, startedAt }) => status === 'running' && startedAt !== null,
    );
    if (cutShort !== undefined) {
      for await (const file of filesOf(targetFolder)) {
        const isNew = isSince(file, cutShort.startedAt) && !earlier.has(sameFile(file));
        if (isNew) await kept.add(cutShort.number, file);
      }
    }
  }
  await kept.addTaken();
  for (const completed of await completeResults(context, run.id)) {
    const { step, path } = completed;
    const content = [Buffer.from(completed.content)];
    const stored = await context.storage.write(artifactKey(run.id, step, path), Readable.from(content));
    // In place of what dbt wrote, where it wrote one that says less.
    const written = kept.artifacts.findIndex((each) => each.step === step && each.path === path);
    if (written !== -1) kept.artifacts.splice(written, 1);
    kept.artifacts.push({ step, path, ...stored });
  }
  const told = await recordArtifacts(db, run.id, kept.artifacts);
  await Promise.all(told.map((id) => context.doorbell.ringDelivery(id)));
  if (kept.leftOut > 0)
    log.warn({ run: run.id, leftOut: kept.leftOut }, 'the run left more artifacts than are kept');
}

interface FoundFile {
  /** Below the folder that was asked for; of a single file its name. */
  path: string;
  sizeBytes: number;
  /** In whole seconds: an engine tells no more. */
  modifiedAt: Date;
  content: AsyncIterable<Uint8Array>;
}

/** Only plain files: a link could point anywhere. Each one's content is there until the next is asked for. */
async function* filesIn(
  executor: Pick<Executor, 'collect'>,
  container: string,
  folder: string,
): AsyncGenerator<FoundFile> {
  for await (const { header, content } of entriesIn(executor, container, folder)) {
    const { name, type, size, mtime } = header;
    if (type !== 'file') continue;
    yield {
      path: name.replace(/^[^/]*\//, ''),
      sizeBytes: size ?? 0,
      modifiedAt: mtime ?? new Date(0),
      content,
    };
  }
}

function keepFiles(context: Context, run: ClaimedRun, mask: Mask) {
  const { storage, config } = context;
  const artifacts: { step: number; path: string; sizeBytes: number }[] = [];
  let room = config.DCTL_MAX_ARTIFACT_BYTES;
  let leftOut = 0;
  return {
    artifacts,
    get leftOut() {
      return leftOut;
    },
    async add(step: number, { path, sizeBytes, content }: FoundFile): Promise<void> {
      if (step > run.settings.steps.length || !isArtifactPath(path) || workingFiles.test(path)) return;
      const tellsSecret = mask.finds(Buffer.from(path));
      if (artifacts.length >= maxFiles || sizeBytes > room || tellsSecret) {
        leftOut += 1;
        return;
      }
      room -= sizeBytes;
      const stored = await storage.write(artifactKey(run.id, step, path), masked(content, mask));
      artifacts.push({ step, path, ...stored });
    },
    /** The prepared manifest, where dbt was spared writing the first step's. */
    async addTaken(): Promise<void> {
      for (const path of manifestNames) {
        if (artifacts.some((each) => each.step === 1 && each.path === path)) continue;
        const taken = await takenManifest(context, run, path);
        if (taken !== null && taken.sizeBytes <= room) artifacts.push({ step: 1, path, ...taken });
        if (taken !== null) room -= taken.sizeBytes;
      }
    },
  };
}

async function* masked(content: AsyncIterable<Uint8Array>, mask: Mask): AsyncGenerator<Uint8Array> {
  const stream = mask.stream();
  for await (const piece of content) yield stream.write(Buffer.from(piece));
  yield stream.end();
}

function isSince({ modifiedAt }: FoundFile, time: Date | null): boolean {
  return time !== null && modifiedAt.getTime() >= Math.floor(time.getTime() / 1_000) * 1_000;
}

/** The same for a file and the copy that the shim made of it. */
function sameFile({ path, sizeBytes, modifiedAt }: FoundFile): string {
  return `${sizeBytes} ${Math.floor(modifiedAt.getTime() / 1_000)} ${path}`;
}
