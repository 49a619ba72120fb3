import type { System } from './system.ts';

/** How many statements wait for somebody else's lock in the system's database. */
export async function countWaiting({ pool }: System): Promise<number> {
  const sql = `SELECT count(*)::int FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return (await pool.query(sql)).rows[0].count;
}
