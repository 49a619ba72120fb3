import type { Context } from '../src/context.ts';
import { patiently } from '../src/db.ts';
import type { ClaimedRun } from '../src/runs/lease.ts';
import { readLog } from '../src/runs/logs.ts';
import { stepHeader } from './dbt/container-spec.ts';
import { ProtocolReader, type ShimEvent } from './dbt/protocol.ts';
import type { Output } from './executors/executor.ts';
import type { LastWords } from './last-words.ts';
import { LogWriter } from './log-writer.ts';
import { maskEvent } from './mask-event.ts';
import type { Mask } from './masking.ts';
import type { ProgressWriter } from './progress-writer.ts';
import type { StoredLog } from './resume-log.ts';
import { SectionFinder } from './section-finder.ts';

/** How often is stored what comes without a pause, and how long what comes first waits for what comes with it. */
const flushMs = 150;
const gatherMs = 5;

/** What a container has said of itself, and how far its log is stored. */
export interface Heard {
  /** That the shim came to its end. */
  finished: Extract<ShimEvent, { event: 'finished' }> | undefined;
  /** That nothing was run, because no message came. */
  noMessage: boolean;
  /** That a step has begun: project code may have run. */
  hasBegun: boolean;
  logBytes: number;
  /** How often its output came to an end that may not have been the last word. */
  broken: number;
}

export interface Storing {
  context: Context;
  run: ClaimedRun;
  mask: Mask;
  progress: ProgressWriter;
  lastWords: LastWords;
  heard: Heard;
  letGo: AbortSignal;
}

/**
 * Stores what a container writes until that ends: its log, masked by now and without what is stored already, behind
 * what is stored; and what it reports. Throws what the output throws. `close` is to be called when the container is over:
 * more may come otherwise.
 */
export async function storeOutput(storing: Storing, output: Output): Promise<{ close: () => Promise<void> }> {
  const { context, run, heard, lastWords, progress, letGo } = storing;
  const maxBytes = context.config.DCTL_MAX_LOG_BYTES;
  const log = new LogWriter(context, run.lease, {
    storedBytes: heard.logBytes,
    maxBytes,
    isClosed: run.logTruncated,
    letGo,
  });
  const sections = await sectionsBehind(storing);
  const protocol = new ProtocolReader();
  const flush = () => Promise.all([log.flush(), progress.flush()]);
  const flushing = flushAsHeard(flush);
  const storeAll = async () => {
    for await (const { stream, content } of output) {
      if (stream === 'protocol') {
        for (const event of protocol.read(content)) await note(storing, event);
      } else if (content.length > 0) {
        lastWords.write(content);
        // An earlier worker came to its end, and closed it.
        if (run.logTruncated) continue;
        for (const { step, from, end } of sections.write(content)) {
          if (end <= maxBytes) await progress.beginSection({ step, from });
        }
        await log.write(content);
      }
      flushing.heard();
    }
  };
  try {
    await Promise.race([storeAll(), flushing.failed]);
  } finally {
    flushing.stop();
    // Also when the output broke off: what is stored is not asked for again.
    await flush();
    heard.logBytes = log.storedBytes;
  }
  return { close: () => log.close() };
}

/**
 * Stores what is heard first after a silence at once, and what follows in pieces. What can't be stored must not wait for
 * the container's next word to be noticed.
 */
function flushAsHeard(flush: () => Promise<unknown>) {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  let isAtWork = false;
  let hasMore = false;
  let isOver = false;
  let lastAt = -Infinity;
  const heard = () => {
    hasMore = true;
    if (isAtWork || isOver || timer !== undefined) return;
    timer = setTimeout(() => void store(), Math.max(gatherMs, lastAt + flushMs - performance.now()));
  };
  const store = async () => {
    timer = undefined;
    isAtWork = true;
    hasMore = false;
    lastAt = performance.now();
    await flush().catch(reject);
    isAtWork = false;
    if (hasMore) heard();
  };
  return {
    failed,
    heard,
    stop: () => {
      isOver = true;
      clearTimeout(timer);
    },
  };
}

/** Finds the parts of the log that begin behind what is stored. */
async function sectionsBehind(storing: Storing): Promise<SectionFinder> {
  const { run, mask } = storing;
  const later = run.settings.steps.slice(1);
  const sections = new SectionFinder(later.map((_, place) => mask.text(stepHeader(run, place + 2))));
  if (later.length === 0) return sections;
  for await (const content of readStored(storing)) sections.write(content);
  return sections;
}

type Stored = Pick<Storing, 'context' | 'run' | 'heard' | 'letGo'>;

/** A run's log as far as it is stored. */
export function storedLog(stored: Stored): StoredLog {
  return {
    read: () => readStored(stored),
    async tail(maxBytes) {
      const pieces: Buffer[] = [];
      const from = Math.max(0, stored.heard.logBytes - maxBytes);
      for await (const piece of readStored(stored, from)) pieces.push(piece);
      return Buffer.concat(pieces);
    },
  };
}

async function* readStored({ context, run, heard, letGo }: Stored, from = 0): AsyncGenerator<Buffer> {
  const runId = run.id;
  const bytes = heard.logBytes;
  for (let position = from; position < bytes;) {
    const read = await patiently(() => readLog(context, runId, position), { forMs: Infinity, signal: letGo });
    const page = read.subarray(0, bytes - position);
    if (page.length === 0) return;
    position += page.length;
    yield page;
  }
}

/** Masked as the log is: texts of project code are in it. */
async function note({ mask, progress, heard }: Storing, event: ShimEvent): Promise<void> {
  const masked = maskEvent(event, mask);
  if (masked.event === 'finished') heard.finished = masked;
  if (masked.event === 'no_message') heard.noMessage = true;
  if (masked.event === 'step_started') heard.hasBegun = true;
  await progress.add(masked);
}
