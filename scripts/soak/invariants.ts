import type pg from 'pg';
import { executions, noMessage, type ContainerEvent, type ContainerWatch } from './watch-containers.ts';

/** The name of connections whose changes are made by hand: they are not the system's doing. */
export const byHand = 'by hand';

/** To be called before any process of the system starts. */
export async function noteStatusChanges(pool: pg.Pool): Promise<void> {
  // With the rights of whoever made it: the system's own database user need not know of it.
  await pool.query(`
    CREATE SCHEMA test_notes;
    CREATE TABLE test_notes.status_changes (
      number bigint GENERATED ALWAYS AS IDENTITY, run_id text, before text, after text, is_by_hand boolean);
    CREATE FUNCTION test_notes.note_status() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
      INSERT INTO test_notes.status_changes (run_id, before, after, is_by_hand)
        VALUES (NEW.id, OLD.status, NEW.status, current_setting('application_name') = '${byHand}');
      RETURN NULL; END $$;
    CREATE TRIGGER note_status_for_tests AFTER UPDATE ON runs FOR EACH ROW
      WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION test_notes.note_status()`);
}

/** A sentence for each run, container or webhook that breaks what must always hold. */
export async function brokenInvariants(
  pool: pg.Pool,
  { events, warm }: Pick<ContainerWatch, 'events' | 'warm'>,
): Promise<string[]> {
  const { rows: runs } = await pool.query<{ id: string; containerId: string | null }>(
    'SELECT id, container_id AS "containerId" FROM runs',
  );
  const ours = new Set(runs.map(({ id }) => id));
  const { rows: installations } = await pool.query<{ id: string }>('SELECT id FROM installation');
  const runOf = new Map(runs.map(({ id, containerId }) => [containerId, id]));
  const made = warm.filter(({ installationId }) => installationId === installations[0]?.id);
  const taken = made.flatMap((event) => {
    const runId = runOf.get(event.containerId);
    return runId === undefined ? [] : [{ ...event, runId }];
  });
  return [
    ...brokenByContainers(
      events.filter(({ runId, fence }) => fence !== null && ours.has(runId)),
      Map.groupBy(taken, ({ runId }) => runId),
    ),
    ...made
      .filter((event) => hasExecuted(event) && !runOf.has(event.containerId))
      .map((event) => `container ${event.containerId}: it was made ahead, and executed what is no run's`),
    ...(await brokenByStatuses(pool)),
    ...(await brokenByWebhooks(pool)),
  ];
}

/** One that only waited ends without a message, or is killed. */
function hasExecuted({ action, exitCode }: ContainerEvent): boolean {
  return action === 'die' && exitCode !== null && exitCode < noMessage;
}

/** `taken`: of containers that were made ahead, by the run that has one. */
function brokenByContainers(events: ContainerEvent[], taken: Map<string, ContainerEvent[]>): string[] {
  const broken: string[] = [];
  const byRun = Map.groupBy(events, (each) => each.runId);
  for (const runId of new Set([...byRun.keys(), ...taken.keys()])) {
    const these = byRun.get(runId) ?? [];
    const created = these.filter(({ action }) => action === 'create');
    for (const [fence, { length }] of Map.groupBy(created, (each) => each.fence)) {
      if (length > 1) broken.push(`run ${runId}: ${length} containers were made under fence ${fence}`);
    }
    const executed = executions([...these, ...(taken.get(runId) ?? [])]);
    if (executed.length > 1) broken.push(`run ${runId}: it was executed ${executed.length} times`);
    const running = new Set<string>();
    for (const { action, containerId } of these) {
      if (action === 'start') running.add(containerId);
      if (action === 'die' || action === 'destroy') running.delete(containerId);
      if (running.size > 1) broken.push(`run ${runId}: ${running.size} containers ran at once`);
    }
  }
  return broken;
}

async function brokenByStatuses(pool: pg.Pool): Promise<string[]> {
  // A run that a test changed by hand is judged by what the system made of it since.
  const { rows } = await pool.query<{ run_id: string; before: string; after: string }>(`
    SELECT run_id, before, after FROM test_notes.status_changes AS change
    WHERE NOT is_by_hand AND NOT EXISTS (
      SELECT FROM test_notes.status_changes AS later
      WHERE later.run_id = change.run_id AND later.is_by_hand AND later.number > change.number)
    ORDER BY number`);
  const broken = rows
    .filter(({ before }) => isFinal(before))
    .map(({ run_id, before, after }) => `run ${run_id}: it was ${before}, then became ${after}`);
  for (const [runId, ends] of Map.groupBy(
    rows.filter(({ after }) => isFinal(after)),
    (each) => each.run_id,
  )) {
    if (ends.length > 1) broken.push(`run ${runId}: it came to ${ends.length} ends`);
  }
  return broken;
}

async function brokenByWebhooks(pool: pg.Pool): Promise<string[]> {
  const { rows: deliveries } = await pool.query<{ run_id: string; count: number }>(`
    SELECT run_id, count(*)::int FROM deliveries WHERE kind IN ('run_finished', 'run_event')
    GROUP BY run_id, subscription_id, event HAVING count(*) > 1`);
  const { rows: tries } = await pool.query<{ delivery_id: string; count: number }>(`
    SELECT delivery_id, count(*)::int FROM delivery_tries JOIN deliveries ON deliveries.id = delivery_id
    GROUP BY delivery_id, subscription_id
    HAVING count(*) > CASE WHEN subscription_id IS NULL THEN 2 ELSE 5 END`);
  return [
    ...deliveries.map(({ run_id, count }) => `run ${run_id}: ${count} webhooks tell of the same`),
    ...tries.map(({ delivery_id, count }) => `webhook ${delivery_id}: it was tried ${count} times`),
  ];
}

function isFinal(status: string): boolean {
  return !['queued', 'running'].includes(status);
}
