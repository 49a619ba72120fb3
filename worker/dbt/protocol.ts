import { StringDecoder } from 'node:string_decoder';
import { z } from 'zod';

const nullable = { text: z.string().nullish().default(null), number: z.number().nullish().default(null) };

/** What the shim says, line by line. Lenient: what is added later, or comes broken, is passed over. */
const shimEvent = z.discriminatedUnion('event', [
  z.object({ event: z.literal('ready'), dbt_version: z.string() }),
  z.object({ event: z.literal('nodes_total'), total: z.number().int().nonnegative() }),
  z.object({
    event: z.literal('node_started'),
    unique_id: z.string(),
    resource_type: z.string(),
    thread: nullable.text,
    started_at: nullable.text,
  }),
  z.object({
    event: z.literal('node_finished'),
    unique_id: z.string(),
    resource_type: z.string(),
    status: z.string(),
    started_at: nullable.text,
    finished_at: nullable.text,
    duration_seconds: nullable.number,
    rows_affected: nullable.number,
    message: nullable.text,
    thread: nullable.text,
  }),
  z.object({
    event: z.literal('finished'),
    exit_code: z.number().int(),
    error: nullable.text,
    interrupted: z.boolean().default(false),
  }),
]);

export type ShimEvent = z.output<typeof shimEvent>;

const maxLineCharacters = 256 * 1024;

/** Takes the protocol's bytes as they come and gives the events whose lines are whole. */
export class ProtocolReader {
  readonly #decoder = new StringDecoder('utf8');
  #unfinished = '';

  read(content: Buffer): ShimEvent[] {
    const lines = (this.#unfinished + this.#decoder.write(content)).split('\n');
    this.#unfinished = (lines.pop() ?? '').slice(0, maxLineCharacters);
    return lines.flatMap(parseLine);
  }
}

function parseLine(line: string): ShimEvent[] {
  try {
    // Postgres holds no NUL in text.
    const parsed = shimEvent.safeParse(JSON.parse(line.replaceAll('\\u0000', '')));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return [];
  }
}
