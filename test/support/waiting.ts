import type pg from 'pg';

/** How many statements wait for somebody else's lock in the database; `like`: of those that LIKE finds it in. */
export async function countWaiting({ pool }: { pool: pg.Pool }, like = '%'): Promise<number> {
  const sql = `SELECT count(*)::int FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1`;
  return (await pool.query(sql, [like])).rows[0].count;
}
