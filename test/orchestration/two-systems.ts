import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shownIn } from '../support/pages.ts';
import { insertToken } from '../support/organization.ts';
import { deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

/** A dctl of its own, with a project, and what others need to know to call it. */
export interface Server extends System {
  project: DeployedProject;
  /** dbt Cloud's numbers. */
  accountNumber: number;
  jobNumber: number;
  /** May trigger, and no more. */
  triggerToken: string;
}

export async function startLoadedSystem(options: Parameters<typeof startSystem>[0] = {}): Promise<Server> {
  const system = await startSystem(options);
  const project = await deployLoaded(system);
  const numberOf = async (table: string, id: string): Promise<number> => {
    const { rows } = await system.pool.query(`SELECT number::float8 FROM ${table} WHERE id = $1`, [id]);
    return rows[0].number;
  };
  return {
    ...system,
    project,
    accountNumber: await numberOf('organizations', system.organizationId),
    jobNumber: await numberOf('jobs', project.jobId),
    triggerToken: await insertToken(system, { scope: 'trigger' }),
  };
}

/** Newest first. */
export async function runsOf(system: System): Promise<any[]> {
  return (await expectStatus(200, system.call('GET', '/api/v1/runs?limit=100'))).body.data;
}

/** The project of this folder, which notes its runs in the warehouse as the documentation shows it. */
async function deployLoaded(system: System): Promise<DeployedProject> {
  const page = 'docs/orchestration.md';
  const folder = await mkdtemp(join(tmpdir(), 'dctl-loaded-'));
  try {
    await cp(join(import.meta.dirname, 'project'), folder, { recursive: true });
    await writeFile(join(folder, 'macros', 'note_run.sql'), shownIn(page, 'sql').join('\n'));
    await writeFile(join(folder, 'dbt_project.yml'), shownIn(page, 'yaml').join('\n'), { flag: 'a' });
    return await deployProject(system, { name: 'loaded', folder });
  } finally {
    await rm(folder, { recursive: true });
  }
}
