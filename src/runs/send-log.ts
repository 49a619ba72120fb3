import { once } from 'node:events';
import { StringDecoder } from 'node:string_decoder';
import type { Response } from 'express';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { findSection } from './log-sections.ts';
import type { LogReader, LogTails } from './log-tails.ts';
import { readStored } from './logs.ts';
import { requireKeptRun, requireRun } from './runs.ts';
import { requireStep } from './steps.ts';

interface LogRequest {
  follow: boolean;
  /** The one whose part of the log is wanted, by its number. */
  step: number | undefined;
  /** Server-sent events in place of plain text. */
  asEvents: boolean;
  /** Of an event stream that was cut: the last id the reader saw. */
  lastEventId: string | undefined;
  signal: AbortSignal;
}

/**
 * Writes a run's log to the response, or one step's part of it: what there is, or (following) all that comes until the
 * run has ended.
 */
export async function sendLog(
  context: Context,
  tails: LogTails,
  principal: Principal,
  runId: string,
  request: LogRequest,
  response: Response,
): Promise<void> {
  const { step, signal } = request;
  const after = positionAfter(request.lastEventId);
  requireStep(await requireKeptRun(context, principal, runId), step);
  response.setHeader('Cache-Control', 'no-store');
  // Proxies that collect an answer before passing it on would hold a live log back.
  response.setHeader('X-Accel-Buffering', 'no');
  response.type(request.asEvents ? 'text/event-stream' : 'text/plain; charset=utf-8');
  response.flushHeaders();

  const isLive = request.follow || request.asEvents;
  const reader = isLive ? tails.join(runId, { step, signal }) : readerOnce(context, runId, { step, signal });
  let events: ReturnType<typeof eventWriter>;
  try {
    const begins = await reader.begins();
    const from = Math.max(after, begins ?? 0);
    events = eventWriter(response, from);
    for await (const content of begins === null ? [] : reader.read(from)) {
      if (signal.aborted) return;
      await (request.asEvents ? events.send(content) : write(response, content));
    }
  } finally {
    reader.leave();
  }
  if (signal.aborted) return;
  if (request.asEvents) {
    await events.sendRest();
    const { status } = await requireRun(context, principal, runId);
    await write(response, `event: end\ndata: ${JSON.stringify({ status })}\n\n`);
  }
  response.end();
}

/** For what is there by now. */
function readerOnce(
  context: Context,
  runId: string,
  { step, signal }: { step: number | undefined; signal: AbortSignal },
): LogReader {
  const found = step === undefined ? { from: 0, to: null } : findSection(context, runId, step);
  return {
    begins: async () => (await found).from,
    async *read(from) {
      yield* readStored(context, runId, { from, to: (await found).to, signal });
    },
    leave: () => undefined,
  };
}

/** One event a piece of whole lines; its id is the byte after it, so a reader can go on from there. */
function eventWriter(response: Response, from: number) {
  let position = from;
  let unfinished = Buffer.alloc(0);

  const sendLines = async (bytes: Buffer, text: Buffer) => {
    position += bytes.length;
    const lines = new StringDecoder('utf8').end(text).split('\n');
    const data = lines.map((line) => `data: ${line.replaceAll('\r', '')}\n`).join('');
    await write(response, `event: log\nid: ${position}\n${data}\n`);
  };

  return {
    async send(content: Buffer): Promise<void> {
      const bytes = Buffer.concat([unfinished, content]);
      const end = bytes.lastIndexOf(0x0a) + 1;
      unfinished = Buffer.from(bytes.subarray(end));
      if (end > 0) await sendLines(bytes.subarray(0, end), bytes.subarray(0, end - 1));
    },
    /** The last line of a log that does not end in a line break. */
    async sendRest(): Promise<void> {
      if (unfinished.length > 0) await sendLines(unfinished, unfinished);
    },
  };
}

/** Waits while the reader is slower than we are. */
async function write(response: Response, content: Buffer | string): Promise<void> {
  if (response.destroyed || response.write(content)) return;
  await Promise.race([once(response, 'drain'), once(response, 'close')]);
}

function positionAfter(lastEventId: string | undefined): number {
  if (lastEventId === undefined || lastEventId === '') return 0;
  if (/^\d{1,15}$/.test(lastEventId)) return Number(lastEventId);
  throw new AppError(
    'invalid_request',
    'header.Last-Event-ID: send back the id of the last event, unchanged.',
  );
}
