import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '../scripts/setup/processes.ts';
import { installationLabel, type System, type Worker } from './system.ts';

const limitMs = 180_000;
/** So often in a row nothing must be under way: the pool makes its containers one after the other. */
const looks = 5;

/**
 * Waits until a system has nothing to do: its deployment is prepared, the containers of ended runs are gone, and the warm
 * pool (unless it is off) has `warm` containers that wait. So every measurement finds what a run finds on a server that is
 * not saturated, and nothing is done in the background at the cost of whatever is measured next.
 */
export async function quiet(system: System, worker: Worker, { warm }: { warm: number }): Promise<void> {
  const deadline = Date.now() + limitMs;
  for (let quietLooks = 0; quietLooks < looks;) {
    const waitsFor = await whatIsUnderWay(system, worker, warm);
    quietLooks = waitsFor === undefined ? quietLooks + 1 : 0;
    if (Date.now() > deadline)
      throw new Error(`after ${limitMs / 1_000} s ${waitsFor}: see ${worker.logFile}`);
    await sleep(100);
  }
}

async function whatIsUnderWay(system: System, worker: Worker, warm: number): Promise<string | undefined> {
  const open = await openPreparations(system);
  if (open > 0) return `${open} preparations of the deployment are still under way`;
  const pool = await warmContainers(worker);
  if (pool.ready < warm || pool.starting > 0)
    return `${pool.ready} warm containers are ready and ${pool.starting} are starting, of ${warm}`;
  const others = (await countContainers(system)) - pool.ready;
  if (others > 0) return `${others} containers of ended runs are still there`;
  return undefined;
}

/** Throws when one has failed. */
async function openPreparations({ client, projectId }: System): Promise<number> {
  const { data: deployments } = await client.call<{ data: { id: string }[] }>(
    'GET',
    `/api/v1/projects/${projectId}/deployments?limit=1`,
  );
  const { preparations = [] } = await client.call<{
    preparations?: { state: string; error_message: string | null }[];
  }>('GET', `/api/v1/projects/${projectId}/deployments/${deployments[0]?.id}`);
  const failed = preparations.find(({ state }) => state === 'failed');
  if (failed !== undefined) throw new Error(`the deployment could not be prepared: ${failed.error_message}`);
  return preparations.filter(({ state }) => state !== 'ready').length;
}

async function warmContainers(worker: Worker): Promise<{ ready: number; starting: number }> {
  const text = await worker.metrics();
  return {
    ready: sample(text, 'dctl_warm_containers', 'state="ready"'),
    starting: sample(text, 'dctl_warm_containers', 'state="warming"'),
  };
}

/** A sample of Prometheus' text; 0 when it is not there. */
export function sample(text: string, name: string, label: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${name}{`) && each.includes(label));
  return Number(line?.split(' ').at(-1) ?? 0);
}

async function countContainers({ pool }: System): Promise<number> {
  const filter = ['--filter', `label=${await installationLabel(pool)}`];
  const listed = await runCommand('docker', ['ps', '--all', '--quiet', ...filter]);
  return listed.split('\n').filter((id) => id !== '').length;
}
