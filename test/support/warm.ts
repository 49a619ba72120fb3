import type Docker from 'dockerode';
import type { System } from './system.ts';
import { until } from './until.ts';

/**
 * The system's containers that were made ahead and are there, whatever became of them; but for one whose worker was
 * killed before it started it, which is left alone for some minutes.
 */
export async function warmContainers({ docker, pool }: System): Promise<Docker.ContainerInfo[]> {
  const found = await docker.listContainers({ all: true, filters: { label: await labels(pool) } });
  return found.filter(({ State }) => State !== 'created');
}

/** Of these volumes those that are there. */
export async function present({ docker }: System, volumes: string[]): Promise<string[]> {
  const found = new Set((await docker.listVolumes()).Volumes.map(({ Name }) => Name));
  return volumes.filter((name) => found.has(name));
}

/** The ids of those that are ready for a run and that none has yet. */
export async function waiting(system: System): Promise<string[]> {
  const there = new Set(
    (await warmContainers(system)).filter(({ State }) => State === 'running').map(({ Id }) => Id),
  );
  const { rows } = await system.pool.query<{ id: string }>('SELECT container_id AS id FROM runs');
  const taken = new Set(rows.map(({ id }) => id));
  const ready = system.workers
    .filter(({ child }) => child.exitCode === null && child.signalCode === null)
    .flatMap(({ lines }) => lines)
    .filter(({ msg }) => msg === 'a container waits for the next run')
    .map(({ container }) => String(container));
  return ready.filter((id) => there.has(id) && !taken.has(id));
}

/** The id of the one that waits, other than these. */
export async function oneWaits(system: System, ...others: string[]): Promise<string> {
  const [id] = await until(
    'a container waits',
    async () => (await waiting(system)).filter((each) => !others.includes(each)),
    ({ length }) => length > 0,
  );
  return id!;
}

/** The container that a run was launched in. */
export async function containerOf({ pool }: System, runId: string): Promise<string | null> {
  const { rows } = await pool.query('SELECT container_id AS id FROM runs WHERE id = $1', [runId]);
  return rows[0].id;
}

async function labels(pool: System['pool']): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM installation');
  return ['dctl.warm', `dctl.installation_id=${rows[0]?.id}`];
}
