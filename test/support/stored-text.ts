import type pg from 'pg';

/** Everything a database holds, row by row as JSON, of every schema: the message queue's too. */
export async function storedText(pool: pg.Pool): Promise<string> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await pool.query<{ text: string }>(
      `SELECT row_to_json(t)::text AS text FROM ${name} AS t`,
    );
    texts.push(...rows.map(({ text }) => `${name} ${text}`));
  }
  return texts.join('\n');
}

/** Which of the secrets stand in the text: as they are, in base64, or as the bytes of a `bytea` column. */
export function secretsIn(text: string, secrets: Record<string, string>): string[] {
  const forms = (secret: string) => [
    secret,
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    Buffer.from(secret).toString('hex'),
  ];
  return Object.keys(secrets).filter((name) => forms(secrets[name]!).some((form) => text.includes(form)));
}
