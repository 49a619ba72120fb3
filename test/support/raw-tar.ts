export interface RawEntry {
  name: string | Buffer;
  /** The type's one character: `0` a file, `5` a folder, `x` a header about the next entry. */
  type?: string;
  content?: string | Buffer;
  /** The size the header tells, where it is not the content's: a number, or the field's twelve bytes. */
  size?: number | Buffer;
}

/** A tar that may be as wrong as one likes, with an end mark. */
export function rawTar(entries: RawEntry[]): Buffer {
  return Buffer.concat([...entries.map(rawEntry), Buffer.alloc(1_024)]);
}

/** One header and its content, padded. */
export function rawEntry({ name, type = '0', content = '', size }: RawEntry): Buffer {
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(512);
  Buffer.from(name).copy(header, 0, 0, 100);
  header.write('0000644\0', 100);
  header.write('0000000\x000000000\0', 108);
  if (Buffer.isBuffer(size)) size.copy(header, 124);
  else header.write(`${(size ?? bytes.length).toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(type, 156);
  header.write('ustar\x0000', 257);
  header.fill(' ', 148, 156);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** The content of a PAX header: `<length> <key>=<value>\n`, the length counting itself. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (String(length).length + Buffer.byteLength(rest) !== length)
    length = String(length).length + Buffer.byteLength(rest);
  return `${length}${rest}`;
}
