import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import { connectDatabase, Prisma, type DatabaseConnection } from '../../src/db.ts';
import { migrate } from '../../src/migrate.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let connection: DatabaseConnection;

beforeAll(async () => {
  database = await createDatabase();
  connection = connectDatabase(database.url, { maxConnections: 2, onError: () => undefined });
});
afterAll(async () => {
  await connection.close();
  await database.drop();
});

test('every model of the schema can be read from a migrated database', async () => {
  const models = Object.values(Prisma.ModelName);
  expect(models.length).toBeGreaterThan(10);
  for (const model of models) {
    const name = `${model.slice(0, 1).toLowerCase()}${model.slice(1)}`;
    const delegate = (
      connection.db as unknown as Record<string, { findMany(options: object): Promise<unknown[]> }>
    )[name];
    // One row of each: asks for every column the schema names.
    expect(await delegate?.findMany({ take: 1 })).toHaveLength(model === 'Installation' ? 1 : 0);
  }
});

test('every column of a migrated table is in the schema', async () => {
  const { rows } = await database.pool.query<{ table: string; columns: string }>(`
    SELECT table_name AS table, count(*)::text AS columns FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%' GROUP BY 1 ORDER BY 1`);
  const inDatabase = Object.fromEntries(rows.map(({ table, columns }) => [table, Number(columns)]));
  const inSchema = Object.fromEntries(
    Object.values(Prisma.ModelName).map((model) => {
      const fields = Prisma[`${model}ScalarFieldEnum` as keyof typeof Prisma] as unknown as Record<
        string,
        string
      >;
      return [model, Object.keys(fields).length];
    }),
  );
  expect(Object.values(inDatabase).toSorted((a, b) => a - b)).toEqual(
    Object.values(inSchema).toSorted((a, b) => a - b),
  );
});

test('migrating again, from many processes at once, changes nothing', async () => {
  const names = (await readdir('prisma/migrations', { withFileTypes: true })).filter((entry) =>
    entry.isDirectory(),
  );
  const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(database.url)));
  expect(applied.flat()).toEqual([]);
  const { rows } = await database.pool.query('SELECT migration_name FROM _prisma_migrations');
  expect(rows).toHaveLength(names.length);
});

test('a migration that was changed after it was applied is refused by name', async () => {
  const other = await createDatabase();
  try {
    await other.pool.query(`UPDATE _prisma_migrations SET checksum = 'other'`);
    await expect(migrate(other.url)).rejects.toThrow(/was changed after it was applied/);
  } finally {
    await other.drop();
  }
});
