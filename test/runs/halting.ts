import { join } from 'node:path';
import { deployProject, type DeployedProject } from '../support/project.ts';
import type { System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { logOf } from '../worker/probe.ts';

/** Deploys the dbt project of these tests: one model can halt for as many runs as a variable says, another fails. */
export function deployHalting(system: System): Promise<DeployedProject> {
  return deployProject(system, { folder: join(import.meta.dirname, 'halting-dbt') });
}

/** Waits until the run has come to the model that halts, and all that it reported before is stored. */
export async function hasHalted(system: System, runId: string): Promise<any> {
  await until(
    'the run halts',
    () => logOf(system, runId),
    (log) => log.includes('\nhalting\n'),
  );
  return until(
    'the node that halts is known to have begun',
    () => nodesOf(system, runId),
    (nodes) => nodes.some(({ unique_id: id, status }) => id === 'model.shop.halting' && status === 'started'),
  );
}

export async function nodesOf(system: System, runId: string): Promise<any[]> {
  return (await system.call('GET', `/api/v1/runs/${runId}/nodes`)).body.data;
}

/** The status of each node by its name, of the last step that has it. */
export async function statusesOf(system: System, runId: string): Promise<Record<string, string>> {
  const nodes = await nodesOf(system, runId);
  return Object.fromEntries(nodes.map((node) => [nameOf(node), node.status]));
}

/** Behind the type and the project; of a test it is not the last part. */
export function nameOf({ unique_id: id }: { unique_id: string }): string {
  const [type, , name, more] = id.split('.');
  return type === 'unit_test' ? more! : name!;
}

export async function killed(system: System, runId: string): Promise<void> {
  await system.docker.getContainer(`dctl-run-${runId}`).kill({ signal: 'SIGKILL' });
}

/** What dbt's models printed of what they were given, line by line. */
export async function givenIn(system: System, runId: string): Promise<any[]> {
  const log = await logOf(system, runId);
  return [...new Set(log.match(/(?<=given )\{.*\}/g))].map((line) => JSON.parse(line));
}
