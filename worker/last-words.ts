import { StringDecoder } from 'node:string_decoder';
import { maxLastWords, maxLastWordsCharacters } from '../src/runs/interruption.ts';

/** How dbt and its adapters speak of an interrupt and of the queries they cancel for it. */
const aboutInterrupt =
  /\bCANCEL\b|\b[Cc]ancell?ing\b|query cancellation|[Kk]eyboard interrupt|still be running/;
/** Where a model's name stands in that line, it may be any word. */
const ofModel = /\b(START|OK|ERROR|SKIP|PASS|FAIL|WARN)\b/;

/** Gathers, from a log as it comes, what dbt says once it was interrupted. */
export class LastWords {
  readonly #decoder = new StringDecoder('utf8');
  #lines: string[] = [];
  #unfinished = '';
  #listens = false;

  get lines(): readonly string[] {
    return this.#lines;
  }

  listen(): void {
    this.#listens = true;
  }

  /** Masked text of the log. */
  write(content: Buffer): void {
    if (!this.#listens || this.#lines.length === maxLastWords) return;
    const lines = (this.#unfinished + this.#decoder.write(content)).split('\n');
    this.#unfinished = (lines.pop() ?? '').slice(0, maxLastWordsCharacters);
    for (const line of lines) this.#add(line);
  }

  /** The log is over: its last line may have no end. */
  end(): void {
    this.#add(this.#unfinished);
    this.#unfinished = '';
  }

  #add(line: string): void {
    const text = line.replaceAll('\0', '').trim().slice(0, maxLastWordsCharacters).toWellFormed();
    if (!aboutInterrupt.test(text) || (ofModel.test(text) && !/\bCANCEL\b/.test(text))) return;
    if (this.#lines.length < maxLastWords) this.#lines.push(text);
  }
}
