import type { DctlClient } from './client.ts';
import { pause, persistently } from './persistently.ts';

const reconnectMs = 500;

/**
 * What a run prints, as it comes, to its end: each time one or more whole lines. A connection that breaks is made again
 * and goes on where it was.
 */
export async function* followLog(
  client: DctlClient,
  runId: string,
  options: { step?: number; signal?: AbortSignal } = {},
): AsyncGenerator<string[], void> {
  const { step, signal } = options;
  const asked = { path: { run_id: runId }, ...(step === undefined ? {} : { query: { step } }) };
  const position = { lastId: '' };
  for (;;) {
    const headers = {
      accept: 'text/event-stream',
      ...(position.lastId === '' ? {} : { 'last-event-id': position.lastId }),
    };
    const signals = signal === undefined ? {} : { signal };
    const response = await persistently(
      () => client.open('getRunLog', asked, { headers, ...signals }),
      signals,
    );
    try {
      for await (const event of eventsOf(response)) {
        if (event.name === 'end') return;
        position.lastId = event.id ?? position.lastId;
        yield event.data;
      }
    } catch {
      // The connection broke: whatever broke it, the log goes on behind the last event that came.
      signal?.throwIfAborted();
    }
    await pause(reconnectMs, signal);
  }
}

interface ServerEvent {
  name: string;
  id: string | undefined;
  data: string[];
}

/** Server-sent events, as the server writes them: fields on lines, and an empty line after each event. */
async function* eventsOf({ body }: Response): AsyncGenerator<ServerEvent> {
  let event: ServerEvent = { name: '', id: undefined, data: [] };
  for await (const line of linesOf(body)) {
    if (line === '') {
      if (event.name !== '') yield event;
      event = { name: '', id: undefined, data: [] };
      continue;
    }
    const [field, value] = fieldOf(line);
    if (field === 'event') event.name = value;
    if (field === 'id') event.id = value;
    if (field === 'data') event.data.push(value);
  }
}

async function* linesOf(body: Response['body']): AsyncGenerator<string> {
  if (body === null) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let unfinished = '';
  try {
    for (;;) {
      const { done, value } = (await reader.read()) as { done: boolean; value?: Uint8Array };
      if (done) return;
      const lines = (unfinished + decoder.decode(value, { stream: true })).split('\n');
      unfinished = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function fieldOf(line: string): [field: string, value: string] {
  const end = line.indexOf(':');
  return end === -1 ? [line, ''] : [line.slice(0, end), line.slice(end + 1).replace(/^ /, '')];
}
