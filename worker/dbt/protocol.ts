import { StringDecoder } from 'node:string_decoder';
import { z } from 'zod';

/** Postgres holds no NUL and no half of a surrogate pair. */
const text = z.string().transform((given) => given.toWellFormed().replaceAll('\0', ''));
const cut = (maxCharacters: number) =>
  text.transform((given) => given.slice(0, maxCharacters).toWellFormed());
const identifier = cut(500);
/** The shim cuts at fewer bytes; project code need not. */
const message = cut(16 * 1024);
/** In UTC: Postgres takes no offset above 15:59, and no year with a sign. 9999 is where lists put what has no time. */
const time = z.iso
  .datetime({ offset: true })
  .transform((given) => new Date(given))
  .refine((given) => given.getTime() >= 0 && given.getUTCFullYear() <= 9998)
  .transform((given) => given.toISOString());
const nullable = {
  identifier: identifier.nullish().default(null),
  message: message.nullish().default(null),
  time: time.nullish().default(null).catch(null),
  seconds: z.number().nonnegative().nullish().default(null).catch(null),
  count: z.int().nonnegative().nullish().default(null).catch(null),
  /** Of a node's own, as dbt gives them: what is not so is left out. */
  relation: cut(1_000).nullish().default(null).catch(null),
  timing: z
    .array(
      z.object({
        name: identifier,
        started_at: time.nullish().default(null),
        completed_at: time.nullish().default(null),
      }),
    )
    .max(10)
    .nullish()
    .default(null)
    .catch(null),
  response: z
    .record(identifier, z.union([message, z.number(), z.boolean(), z.null()]))
    .refine((given) => Object.keys(given).length <= 50)
    .nullish()
    .default(null)
    .catch(null),
};

/** Any JSON that is not deep. The names in an object may hold what the database refuses as well as the texts. */
function json(depth: number): z.ZodType {
  const scalar = z.union([text, z.number(), z.boolean(), z.null()]);
  if (depth === 0) return scalar;
  return z.union([scalar, z.array(json(depth - 1)), z.record(text, json(depth - 1))]);
}
const dbtArguments = z.record(text, json(6)).nullish().default(null).catch(null);

/** Of a run, counted from 1. Of a container that an earlier version started, nothing says which: it has one. */
const step = z.int().min(1).max(1_000).default(1);

/**
 * What the shim says, line by line. Lenient: what is added later, or comes broken, is passed over. Nothing gets
 * through that the database would refuse: project code can reach the shim's descriptor, and could end in a run that
 * no worker is able to finish.
 */
const shimEvent = z.discriminatedUnion('event', [
  z.object({ event: z.literal('ready'), dbt_version: text }),
  z.object({ event: z.literal('warmed'), parsed: z.boolean() }),
  z.object({ event: z.literal('no_message') }),
  z.object({ event: z.literal('parsed'), step, reads_run: z.boolean() }),
  z.object({ event: z.literal('step_started'), step, started_at: nullable.time }),
  z.object({
    event: z.literal('step_finished'),
    step,
    exit_code: z.int32(),
    error: nullable.message,
    finished_at: nullable.time,
  }),
  z.object({
    event: z.literal('invocation'),
    step,
    invocation_id: nullable.identifier,
    dbt_version: nullable.identifier,
    arguments: dbtArguments,
  }),
  z.object({
    event: z.literal('nodes_selected'),
    step,
    /** Of each its id, resource type and relation name. */
    nodes: z.array(z.tuple([identifier, identifier, nullable.relation])).max(10_000),
  }),
  z.object({ event: z.literal('nodes_total'), step, total: z.int32().nonnegative() }),
  z.object({
    event: z.literal('node_started'),
    step,
    unique_id: identifier,
    resource_type: identifier,
    thread: nullable.identifier,
    started_at: nullable.time,
  }),
  z.object({
    event: z.literal('node_finished'),
    step,
    unique_id: identifier,
    resource_type: identifier,
    status: identifier,
    started_at: nullable.time,
    finished_at: nullable.time,
    duration_seconds: nullable.seconds,
    rows_affected: nullable.count,
    message: nullable.message,
    thread: nullable.identifier,
    timing: nullable.timing,
    adapter_response: nullable.response,
    failures: nullable.count,
    relation_name: nullable.relation,
  }),
  z.object({
    event: z.literal('finished'),
    exit_code: z.int32(),
    error: nullable.message,
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
    const parsed = shimEvent.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return [];
  }
}
