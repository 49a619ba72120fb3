import { join } from 'node:path';
import { createJob, deployProject, ended, trigger, type DeployedProject } from '../support/project.ts';
import type { System } from '../support/system.ts';

/** Deploys the dbt project of these tests, whose Python models look around and misbehave inside the run's container. */
export function deployProbe(system: System): Promise<DeployedProject> {
  return deployProject(system, { folder: join(import.meta.dirname, 'probe') });
}

/** Triggers a job of its own with the command, and returns the run's id. */
export async function begin(
  system: System,
  project: DeployedProject,
  command: string,
  jobFields: Record<string, unknown> = {},
): Promise<string> {
  const jobId = await createJob(system, project.projectId, { command, ...jobFields });
  return trigger(system, { ...project, jobId });
}

export async function run(
  system: System,
  project: DeployedProject,
  command: string,
  jobFields: Record<string, unknown> = {},
): Promise<any> {
  return ended(system, await begin(system, project, command, jobFields));
}

export async function logOf(system: System, runId: string): Promise<string> {
  return (await system.call('GET', `/api/v1/runs/${runId}/logs`)).text;
}

/** The one line of JSON with this key that a run printed. */
export async function printed(system: System, runId: string, key: string): Promise<any> {
  const log = await logOf(system, runId);
  const line = log.split('\n').find((each) => each.startsWith('{') && each.includes(`"${key}"`));
  if (line === undefined) throw new Error(`the run printed no JSON with "${key}": ${log}`);
  return JSON.parse(line);
}
