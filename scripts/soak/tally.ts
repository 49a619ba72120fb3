import type Docker from 'dockerode';
import type pg from 'pg';
import { brokenInvariants } from './invariants.ts';
import type { Asked } from './load.ts';
import type { CountingReceiver } from './receiver.ts';
import { executions, type ContainerEvent, type ContainerWatch } from './watch-containers.ts';

export interface Tally {
  counts: Record<string, number>;
  /** How often runs ended so. */
  ends: Record<string, number>;
  /** A sentence for everything that must not be. */
  violations: string[];
}

interface Run {
  id: string;
  status: string;
  statusReason: string | null;
  fence: number;
  /** Where it was launched. Null: it was not. */
  containerId: string | null;
  log: string;
}

/** To be called once nothing moves any more. */
export async function tally({
  pool,
  docker,
  watch,
  asked,
  receiver,
}: {
  pool: pg.Pool;
  docker: Docker;
  watch: ContainerWatch;
  asked: Asked[];
  receiver: CountingReceiver;
}): Promise<Tally> {
  const runs = await readRuns(pool);
  const ids = new Set(runs.map(({ id }) => id));
  const { rows: deliveries } = await pool.query<{ run_id: string; state: string }>(
    'SELECT run_id, state FROM deliveries',
  );
  const left = await leftOver(docker, ids);
  const events = [...watch.events.filter(({ runId }) => ids.has(runId)), ...inTakenContainers(runs, watch)];
  const accepted = asked.filter(({ runId }) => runId !== null);
  const started = events.filter(({ action }) => action === 'start');
  const executionsOf = Map.groupBy(executions(events), ({ runId }) => runId);
  const hitsOf = Map.groupBy(receiver.hits, ({ runId }) => runId);
  const most = (counts: Iterable<number>) => Math.max(0, ...counts);

  return {
    counts: {
      'triggers that were accepted': accepted.length,
      'of these asked for more than once': accepted.filter(({ times }) => times > 1).length,
      'runs there are': runs.length,
      'taken over from another worker': runs.filter(({ fence }) => fence > 1).length,
      'containers started': started.length,
      'of these never told what to run': started.length - executions(events).length,
      'most executions of one run': most([...executionsOf.values()].map(({ length }) => length)),
      'webhooks recorded': deliveries.length,
      'of these left half-sent (unknown)': deliveries.filter(({ state }) => state === 'unknown').length,
      'requests that the receiver got': receiver.hits.length,
      'most webhook ids of one run': most(
        [...hitsOf.values()].map((hits) => new Set(hits.map(({ webhookId }) => webhookId)).size),
      ),
      'most requests of one run': most([...hitsOf.values()].map(({ length }) => length)),
      'containers left': left.containers,
      'volumes left': left.volumes,
    },
    ends: countBy(runs.map(({ status, statusReason }) => [status, statusReason].filter(Boolean).join(', '))),
    violations: [
      ...(await brokenInvariants(pool, watch)),
      ...brokenPromises(asked, runs),
      ...runs.flatMap((run) => oddities(run, executionsOf.get(run.id)?.length ?? 0)),
      ...brokenDeliveries(runs, deliveries, hitsOf),
      ...(left.containers > 0 ? [`${left.containers} containers are left`] : []),
      ...(left.volumes > 0 ? [`${left.volumes} volumes are left`] : []),
    ],
  };
}

async function readRuns(pool: pg.Pool): Promise<Run[]> {
  const { rows } = await pool.query<Run>(`
    SELECT id, status, status_reason AS "statusReason", fence, container_id AS "containerId", COALESCE((
      SELECT convert_from(string_agg(content, ''::bytea ORDER BY starts_at), 'UTF8')
      FROM log_chunks WHERE run_id = runs.id), '') AS log
    FROM runs`);
  return rows;
}

/** What became of containers that were made ahead and that a run has got. */
function inTakenContainers(runs: Run[], { warm }: ContainerWatch): ContainerEvent[] {
  const runOf = new Map(runs.map(({ id, containerId }) => [containerId, id]));
  return warm.flatMap((event) => {
    const runId = runOf.get(event.containerId);
    return runId === undefined ? [] : [{ ...event, runId }];
  });
}

/** Every answer of 200 stands for one run, which has come to its end. */
function brokenPromises(asked: Asked[], runs: Run[]): string[] {
  const byId = new Map(runs.map((run) => [run.id, run]));
  const seen = new Set<string>();
  return asked.flatMap(({ runId, key, answered }) => {
    if (runId === null) return [];
    const broken: string[] = [];
    if (answered.size > 1) broken.push(`key ${key}: it was answered with ${answered.size} runs`);
    if (seen.has(runId)) broken.push(`run ${runId}: two triggers were answered with it`);
    seen.add(runId);
    const run = byId.get(runId);
    if (run === undefined) broken.push(`run ${runId}: it was accepted and is not there`);
    return broken;
  });
}

function oddities({ id, status, statusReason, log }: Run, executed: number): string[] {
  const broken: string[] = [];
  if (['queued', 'running'].includes(status)) broken.push(`run ${id}: it is still ${status}`);
  if (status === 'success' && executed !== 1) broken.push(`run ${id}: a success of ${executed} executions`);
  // What its worker could not know of; a killed worker is no reason for it.
  if (['container_lost', 'gave_up', 'killed', 'worker_lost'].includes(statusReason ?? ''))
    broken.push(`run ${id}: it ended as ${statusReason}`);
  const lines = [...log.matchAll(/^line (\d+)$/gm)].map(([, number]) => Number(number));
  const isWhole = lines.every((number, place) => number === place);
  if (!isWhole || log.split(/^begins$/m).length > 2)
    broken.push(`run ${id}: its log has a gap or says something twice`);
  if (status === 'success' && !/^ends$/m.test(log)) broken.push(`run ${id}: its log has no end`);
  return broken;
}

function brokenDeliveries(
  runs: Run[],
  deliveries: { run_id: string; state: string }[],
  hitsOf: Map<string, { webhookId: string }[]>,
): string[] {
  const broken: string[] = [];
  const ofRun = new Map(deliveries.map((each) => [each.run_id, each.state]));
  for (const { id } of runs) {
    const state = ofRun.get(id);
    const hits = hitsOf.get(id) ?? [];
    if (state === undefined) broken.push(`run ${id}: no webhook tells of its end`);
    else if (['pending', 'sending'].includes(state)) broken.push(`run ${id}: its webhook is still ${state}`);
    else if (state === 'delivered' && hits.length === 0)
      broken.push(`run ${id}: its webhook is said to be delivered and never came`);
    if (new Set(hits.map(({ webhookId }) => webhookId)).size > 1)
      broken.push(`run ${id}: two webhooks told of it`);
    if (hits.length > 2) broken.push(`run ${id}: its webhook came ${hits.length} times`);
  }
  return broken;
}

export async function leftOver(
  docker: Docker,
  runIds: Set<string>,
): Promise<{ containers: number; volumes: number }> {
  const filters = { label: ['dctl.run_id'] };
  const [containers, { Volumes: volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
  ]);
  const isOurs = ({ Labels }: { Labels?: Record<string, string> | null }) =>
    runIds.has(Labels?.['dctl.run_id'] ?? '');
  return {
    containers: containers.filter(isOurs).length,
    volumes: (volumes ?? []).filter(isOurs).length,
  };
}

function countBy(words: string[]): Record<string, number> {
  return Object.fromEntries(
    [...Map.groupBy(words, (word) => word)].map(([word, { length }]) => [word, length]),
  );
}
