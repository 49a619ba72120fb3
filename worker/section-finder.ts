const lineBreak = 0x0a;

/** Where a step's part of a log begins, and where its header ends, in bytes of the whole log. */
export interface Section {
  step: number;
  from: number;
  end: number;
}

/**
 * Finds where the parts of a log begin that belong to the second step and those after it: at the line that is exactly
 * the header expected next. The result is the same however the bytes are cut, so a worker that reads a log again finds
 * the same places.
 */
export class SectionFinder {
  readonly #headers: Buffer[];
  #next = 0;
  #position = 0;
  /** How many bytes of this line are those of the next header; null: it is another line. */
  #matched: number | null = 0;

  constructor(headersFromSecond: string[]) {
    this.#headers = headersFromSecond.map((header) => Buffer.from(`${header}\n`));
  }

  /** The sections whose headers end in this piece. */
  write(content: Buffer): Section[] {
    const found: Section[] = [];
    for (let at = 0; at < content.length;) {
      const header = this.#headers[this.#next];
      if (header === undefined) break;
      if (this.#matched === null) {
        const end = content.indexOf(lineBreak, at);
        if (end === -1) break;
        at = end + 1;
        this.#matched = 0;
      } else if (content[at] !== header[this.#matched]) {
        this.#matched = null;
      } else {
        at += 1;
        this.#matched += 1;
        if (this.#matched < header.length) continue;
        this.#next += 1;
        this.#matched = 0;
        const end = this.#position + at;
        found.push({ step: this.#next + 1, from: end - header.length, end });
      }
    }
    this.#position += content.length;
    return found;
  }
}
