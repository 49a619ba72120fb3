import type { Context } from './context.ts';
import { sealedWith } from './secrets.ts';
import { countTokensOfOtherKeys } from './tokens/store.ts';

/** What is stored sealed. `keys` are the columns that name a row. */
const sealedColumns = [
  { what: 'webhook headers of jobs', table: 'jobs', keys: ['id'], column: 'webhook_headers' },
  { what: 'webhook sign-ins of jobs', table: 'jobs', keys: ['id'], column: 'webhook_auth' },
  { what: 'webhook secrets of jobs', table: 'jobs', keys: ['id'], column: 'webhook_secret' },
  {
    what: 'webhook secrets of jobs that were replaced',
    table: 'jobs',
    keys: ['id'],
    column: 'webhook_old_secret',
  },
  { what: 'headers of deliveries', table: 'deliveries', keys: ['id'], column: 'headers' },
  { what: 'sign-ins of deliveries', table: 'deliveries', keys: ['id'], column: 'auth' },
  { what: 'secrets of deliveries', table: 'deliveries', keys: ['id'], column: 'secret' },
  { what: 'replaced secrets of deliveries', table: 'deliveries', keys: ['id'], column: 'old_secret' },
  { what: 'requests of deliveries', table: 'deliveries', keys: ['id'], column: 'request' },
  { what: 'headers of hooks', table: 'hooks', keys: ['id'], column: 'headers' },
  { what: 'sign-ins of hooks', table: 'hooks', keys: ['id'], column: 'auth' },
  { what: 'secrets that hooks name', table: 'orchestration_secrets', keys: ['id'], column: 'value' },
  {
    what: 'secrets of webhook subscriptions',
    table: 'webhook_subscriptions',
    keys: ['id'],
    column: 'secret',
  },
  { what: 'secrets of event sources', table: 'event_sources', keys: ['id'], column: 'secret' },
  { what: 'connections of environments', table: 'environments', keys: ['id'], column: 'connection_secrets' },
  {
    what: 'secrets of environments',
    table: 'environment_secrets',
    keys: ['environment_id', 'name'],
    column: 'value',
  },
] as const;

type SealedColumn = (typeof sealedColumns)[number];

const batchSize = 500;

export interface Resealed {
  /** How many of each were sealed with an older key and are now sealed with the current one. */
  counts: { what: string; count: number }[];
  /** Where something is stored that no key of the ring opens: left as it is. */
  lost: string[];
  /** Live tokens that were last used when an older key was the current one. */
  tokensOfOlderKeys: number;
}

/**
 * Seals everything with the current key that is not. Any number of times, while the server runs: what somebody changes
 * meanwhile stays as they wrote it.
 */
export async function resealEverything(context: Context): Promise<Resealed> {
  const lost: string[] = [];
  const counts: Resealed['counts'] = [];
  for (const sealed of sealedColumns)
    counts.push({ what: sealed.what, count: await reseal(context, sealed, lost) });
  return { counts, lost, tokensOfOlderKeys: await countTokensOfOtherKeys(context.db, context.secrets.keyId) };
}

interface Row {
  key: string[];
  sealed: string;
}

/** Goes through the table in the order of its primary key, so that no statement takes long however large it is. */
async function reseal({ pool, secrets }: Context, where: SealedColumn, lost: string[]): Promise<number> {
  const { table, column } = where;
  const keys = where.keys.join(', ');
  const after = where.keys.map((_, index) => `$${index + 1}`).join(', ');
  const isSame = where.keys.map((key, index) => `${key} = fresh.key[${index + 1}]`).join(' AND ');
  let count = 0;
  for (let last: string[] = where.keys.map(() => ''); ;) {
    const { rows } = await pool.query<Row>(
      `SELECT ARRAY[${keys}] AS key, ${column} AS sealed FROM ${table}
       WHERE (${keys}) > (${after}) AND ${column} IS NOT NULL ORDER BY ${keys} LIMIT ${batchSize}`,
      last,
    );
    const renewed = rows
      .filter(({ sealed }) => !sealed.startsWith(sealedWith(secrets.keyId)))
      .flatMap(({ key, sealed }) => {
        const place = placeOf(where, key);
        const plain = openIfPossible(() => secrets.open(sealed, place));
        if (plain !== undefined) return [{ key, sealed, renewed: secrets.seal(plain, place) }];
        lost.push(place);
        return [];
      });
    if (renewed.length > 0) {
      const { rowCount } = await pool.query(
        `UPDATE ${table} SET ${column} = fresh.renewed
         FROM jsonb_to_recordset($1::jsonb) AS fresh (key text[], sealed text, renewed text)
         WHERE ${isSame} AND ${column} = fresh.sealed`,
        [JSON.stringify(renewed)],
      );
      count += rowCount ?? 0;
    }
    if (rows.length < batchSize) return count;
    last = rows.at(-1)?.key ?? last;
  }
}

/** As those who store it write it: `table:row:column`, and the name in the column's place where the row has one. */
function placeOf({ table, column }: SealedColumn, [row = '', name]: string[]): string {
  return `${table}:${row}:${name ?? column}`;
}

function openIfPossible(open: () => string): string | undefined {
  try {
    return open();
  } catch {
    return undefined;
  }
}
