/** Whether somebody has cancelled the run that this worker has, and who. Begins once, and never ends. */
export class Cancellation {
  readonly #asked = new AbortController();
  #by: string | null = null;

  get by(): string | null {
    return this.#by;
  }

  /** Aborts when it begins. */
  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  /** Null: nobody has asked so far. */
  begin(by: string | null): void {
    if (by === null || this.#by !== null) return;
    this.#by = by;
    this.#asked.abort();
  }
}
