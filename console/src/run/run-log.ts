import { DctlError } from '../../../client/client.ts';
import { api } from '../api.ts';
import { plainText } from './ansi.ts';
import { levelOf, type Level } from './log-level.ts';

export interface LogLine {
  /** As it was printed, colours included. */
  raw: string;
  plain: string;
  level: Level;
}

export type LogState = 'reading' | 'cut' | 'ended' | 'refused';

/** What the server can send of a log, as events: `id` is the byte after it. */
interface LogEvent {
  name: string;
  id: string;
  data: string;
}

/**
 * A run's log, or one step's part of it, followed to its end. A connection that is cut is taken up where it was. Whoever
 * subscribes is told at most once a frame.
 */
export class RunLog {
  readonly lines: LogLine[] = [];
  /** In characters. */
  longest = 0;
  firstError: number | null = null;
  warnings = 0;
  errors = 0;
  state: LogState = 'reading';
  error: unknown = null;
  /** Another one whenever something has changed. */
  version = 0;
  readonly #runId: string;
  readonly #step: number | undefined;
  readonly #listeners = new Set<() => void>();
  #stopping: AbortController | undefined;
  #lastId = '';
  #told: number | undefined;

  constructor(runId: string, step: number | undefined) {
    this.#runId = runId;
    this.#step = step;
  }

  /** Follows for as long as anybody wants to know. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#stopping === undefined && (this.state === 'reading' || this.state === 'cut')) {
      this.#stopping = new AbortController();
      void this.#follow(this.#stopping.signal);
    }
    return () => {
      this.#listeners.delete(listener);
      // Whoever comes right after goes on with it.
      setTimeout(() => {
        if (this.#listeners.size > 0) return;
        this.#stopping?.abort();
        this.#stopping = undefined;
      });
    };
  };

  readonly getVersion = (): number => this.version;

  async #follow(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        for await (const event of this.#events(signal)) {
          failures = 0;
          this.#take(event);
        }
        if (this.state === 'ended') return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof DctlError && error.status < 500 && error.status !== 429) {
          this.error = error;
          return this.#change('refused');
        }
      }
      this.#change('cut');
      await new Promise((resolve) => setTimeout(resolve, Math.min(10_000, 500 * 2 ** failures)));
    }
  }

  async *#events(signal: AbortSignal): AsyncGenerator<LogEvent> {
    const { body } = await api().open(
      'getRunLog',
      { path: { run_id: this.#runId }, query: this.#step === undefined ? {} : { step: this.#step } },
      {
        signal,
        headers: {
          accept: 'text/event-stream',
          ...(this.#lastId === '' ? {} : { 'last-event-id': this.#lastId }),
        },
      },
    );
    const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ''; ;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (rest + value).split('\n\n');
      rest = events.pop()!;
      for (const text of events) yield eventIn(text);
    }
  }

  #take({ name, id, data }: LogEvent): void {
    if (name === 'end') return this.#change('ended');
    if (name !== 'log') return;
    for (const raw of data.split('\n')) this.#add(raw);
    this.#lastId = id;
    this.#change('reading');
  }

  #add(raw: string): void {
    const plain = plainText(raw);
    const level = levelOf(raw, plain, this.lines.at(-1)?.level ?? 'info');
    if (level === 'error') {
      this.firstError ??= this.lines.length;
      this.errors += 1;
    } else if (level === 'warn') this.warnings += 1;
    this.longest = Math.max(this.longest, plain.length);
    this.lines.push({ raw, plain, level });
  }

  #change(state: LogState): void {
    this.state = state;
    if (this.#told !== undefined) return;
    // A page that is not looked at has no frames.
    this.#told = setTimeout(() => {
      this.#told = undefined;
      this.version += 1;
      for (const listener of this.#listeners) listener();
    }, 50);
  }
}

function eventIn(text: string): LogEvent {
  const event: LogEvent = { name: '', id: '', data: '' };
  const data: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('data: ')) data.push(line.slice(6));
    else if (line.startsWith('event: ')) event.name = line.slice(7);
    else if (line.startsWith('id: ')) event.id = line.slice(4);
  }
  event.data = data.join('\n');
  return event;
}
