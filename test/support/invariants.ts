import type pg from 'pg';
import { brokenInvariants } from '../../scripts/soak/invariants.ts';
import type { System } from './system.ts';
import { until } from './until.ts';

/**
 * What holds of every run, whatever died: one end that never changes, one container a claim, one execution in all, one at
 * most at a time, one webhook of two tries at most; and in the end no container is left, and no run without an end.
 * Waits for the last two. Also checked, without these, whenever a system is stopped.
 */
export async function expectInvariants(
  { pool, docker, containers }: System,
  { withinMs = 20_000 }: { withinMs?: number } = {},
): Promise<void> {
  await until('every run has come to an end', () => openRuns(pool), isEmpty, withinMs);
  const isLeft = async () => {
    const listed = await docker.listContainers({ all: true, filters: { label: ['dctl.run_id'] } });
    const runIds = listed.map(({ Labels }) => Labels['dctl.run_id'] ?? '');
    const warm = await docker.listContainers({ all: true, filters: { label: ['dctl.warm'] } });
    const { rows } = await pool.query('SELECT id FROM runs WHERE id = ANY($1) OR container_id = ANY($2)', [
      runIds,
      warm.map(({ Id }) => Id),
    ]);
    return rows;
  };
  await until('no container of an ended run is left', isLeft, isEmpty, withinMs);
  const broken = await brokenInvariants(pool, containers);
  if (broken.length > 0) throw new Error(`what must always hold does not:\n${broken.join('\n')}`);
}

async function openRuns(pool: pg.Pool): Promise<unknown[]> {
  const { rows } = await pool.query(`
    SELECT id, status, fence, not_before FROM runs
    WHERE status IN ('queued', 'running') AND (not_before IS NULL OR not_before <= clock_timestamp())`);
  return rows;
}

function isEmpty({ length }: unknown[]): boolean {
  return length === 0;
}
