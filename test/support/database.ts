import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { byHand } from '../../scripts/soak/invariants.ts';

export interface TestDatabase {
  url: string;
  pool: pg.Pool;
  drop(): Promise<void>;
}

/** A database of its own, copied from one that is only migrated, or from the one that is named. */
export async function createDatabase(
  template = process.env['DCTL_TEST_TEMPLATE'] ?? '',
): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = serverUrl(name);
  const pool = new pg.Pool({ connectionString: url, max: 4, application_name: byHand });
  pool.on('error', () => undefined);
  // The copies share a Docker engine, and must not take each other's containers for their own.
  await pool.query('UPDATE installation SET id = gen_random_uuid()::text');
  return {
    url,
    pool,
    async drop() {
      await pool.end();
      await onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** The job `j` with all that it belongs to, for tests that go to the database alone. */
export async function insertJob({ pool }: TestDatabase): Promise<void> {
  await pool.query(`
    INSERT INTO organizations (id, name) VALUES ('org-1', 'shop');
    INSERT INTO projects (id, organization_id, name, type) VALUES ('p', 'org-1', 'shop', 'dbt');
    INSERT INTO environments (id, project_id, name) VALUES ('e', 'p', 'production');
    INSERT INTO deployments (id, project_id, digest, size_bytes, file_count, deployed_by)
      VALUES ('d', 'p', 'sha256:0', 1, 1, 'a test');
    INSERT INTO jobs (id, project_id, environment_id, name, commands, timeout_seconds, max_parallel_runs)
      VALUES ('j', 'p', 'e', 'nightly', '{dbt build}', 60, 1)`);
}

/** Of a database on the test server. */
export function serverUrl(database: string): string {
  const url = new URL(process.env['DCTL_TEST_POSTGRES_URL'] ?? '');
  url.pathname = `/${database}`;
  return url.href;
}

/** Runs one statement on the test server, outside of any test's database. */
export async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl('postgres') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
