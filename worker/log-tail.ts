/** The last bytes of a stream, in a fixed amount of memory and whatever the size of its pieces. */
export class LogTail {
  readonly #maxBytes: number;
  #bytes = Buffer.alloc(0);
  #size = 0;
  /** How many bytes came and are not kept. */
  leftOut = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(content: Buffer): void {
    if (this.#bytes.length === 0) this.#bytes = Buffer.alloc(2 * this.#maxBytes);
    const kept = content.subarray(-this.#maxBytes);
    this.leftOut += content.length - kept.length;
    // The room for as much again makes the moving rare.
    if (this.#size + kept.length > this.#bytes.length)
      this.#dropFirst(this.#size + kept.length - this.#maxBytes);
    kept.copy(this.#bytes, this.#size);
    this.#size += kept.length;
  }

  /** What is kept, and nothing after that. Begins with a whole character when something was left out before it. */
  take(): Buffer {
    if (this.#size > this.#maxBytes) this.#dropFirst(this.#size - this.#maxBytes);
    if (this.leftOut > 0) this.#dropFirst(this.#restOfCharacter());
    const taken = this.#bytes.subarray(0, this.#size);
    this.#bytes = Buffer.alloc(0);
    this.#size = 0;
    return taken;
  }

  #dropFirst(bytes: number): void {
    this.#bytes.copyWithin(0, bytes, this.#size);
    this.#size -= bytes;
    this.leftOut += bytes;
  }

  /** How many of the first bytes go on with a character of UTF-8 whose beginning is gone. */
  #restOfCharacter(): number {
    let length = 0;
    while (length < Math.min(3, this.#size) && goesOn(this.#bytes[length])) length += 1;
    return length;
  }
}

/** The length of `content` without a character of UTF-8 that is cut off at its end. */
export function wholeCharacters(content: Buffer): number {
  let start = content.length - 1;
  while (start > content.length - 4 && goesOn(content[start])) start -= 1;
  const first = content[start] ?? 0;
  const needed = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return content.length - start < needed ? start : content.length;
}

/** Whether the byte goes on with a character that began before it. */
function goesOn(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
