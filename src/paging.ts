import { z } from 'zod';
import { AppError } from './errors.ts';
import { text } from './text.ts';

/** `?limit=` and `?cursor=` of every list. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});

export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), next_cursor: z.string().nullable() });

/** Where a page ended: the time (ISO 8601) and id of its last item. Times in lists are whole milliseconds. */
export interface Position {
  createdAt: string;
  id: string;
}

/** Anybody can make a cursor up: whatever passes is looked for in Postgres, which knows no year 0. */
const position = z.tuple([z.iso.datetime().refine((time) => time >= '1970'), text(510)]);

function encodeCursor({ createdAt, id }: Position): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url');
}

export function decodeCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [createdAt, id] = position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return { createdAt, id };
  } catch (error) {
    throw unknownCursor({ cause: error });
  }
}

export function unknownCursor(options?: { cause: unknown }): AppError {
  const detail = 'query.cursor: send back next_cursor of the page before, unchanged.';
  return new AppError('invalid_request', detail, options);
}

/** For lists that begin with the oldest: what comes after a page. */
export function newerThan(last: Position | undefined) {
  if (last === undefined) return {};
  const { createdAt, id } = last;
  return { OR: [{ createdAt: { gt: createdAt } }, { createdAt, id: { gt: id } }] };
}

/** For lists that begin with the newest: what comes after a page. */
export function olderThan(last: Position | undefined) {
  if (last === undefined) return {};
  const { createdAt, id } = last;
  return { OR: [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }] };
}

/** The answer to a list: `rows` holds one more than `limit` when there is another page. */
export function pageOf<Row extends { createdAt: Date; id: string }, Item>(
  rows: Row[],
  limit: number,
  view: (row: Row) => Item,
): { data: Item[]; next_cursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return {
    data: shown.map(view),
    next_cursor: more ? encodeCursor({ createdAt: last.createdAt.toISOString(), id: last.id }) : null,
  };
}
