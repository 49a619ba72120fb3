import { once } from 'node:events';
import { StringDecoder } from 'node:string_decoder';
import type { Response } from 'express';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { followLog, readLog } from './logs.ts';
import { requireRun } from './runs.ts';
import { isFinal } from './status.ts';

interface LogRequest {
  follow: boolean;
  /** Server-sent events in place of plain text. */
  asEvents: boolean;
  /** Of an event stream that was cut: the last id the reader saw. */
  lastEventId: string | undefined;
  signal: AbortSignal;
}

/** Writes a run's log to the response: what there is, or (following) all that comes until the run has ended. */
export async function sendLog(
  context: Context,
  principal: Principal,
  runId: string,
  request: LogRequest,
  response: Response,
): Promise<void> {
  const isOver = async () => isFinal((await requireRun(context, principal, runId)).status);
  const from = positionAfter(request.lastEventId);
  await isOver();
  response.setHeader('Cache-Control', 'no-store');
  // Proxies that collect an answer before passing it on would hold a live log back.
  response.setHeader('X-Accel-Buffering', 'no');
  response.type(request.asEvents ? 'text/event-stream' : 'text/plain; charset=utf-8');
  response.flushHeaders();

  const log =
    request.follow || request.asEvents
      ? followLog(context, runId, { from, signal: request.signal, isOver })
      : wholeLog(context, runId, from);
  const events = eventWriter(response, from);
  for await (const content of log) {
    if (request.signal.aborted) return;
    await (request.asEvents ? events.send(content) : write(response, content));
  }
  if (request.signal.aborted) return;
  if (request.asEvents) {
    await events.sendRest();
    const { status } = await requireRun(context, principal, runId);
    await write(response, `event: end\ndata: ${JSON.stringify({ status })}\n\n`);
  }
  response.end();
}

async function* wholeLog(context: Context, runId: string, from: number): AsyncGenerator<Buffer> {
  for (let position = from; ;) {
    const content = await readLog(context, runId, position);
    if (content.length === 0) return;
    position += content.length;
    yield content;
  }
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
