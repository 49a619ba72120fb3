import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deployProject, type DeployedProject } from '../support/project.ts';
import type { System } from '../support/system.ts';
import { logOf } from '../worker/probe.ts';

/** Deploys a dbt project whose macro tells of its run, with the query comment that the documentation shows. */
export async function deployTelling(system: System): Promise<DeployedProject> {
  const page = await readFile(join(process.cwd(), 'docs', 'integrations', 'metadata.md'), 'utf8');
  const shown = (language: string) => page.split(`\`\`\`${language}\n`)[1]!.split('```')[0]!;
  const folder = await mkdtemp(join(tmpdir(), 'dctl-telling-'));
  try {
    await cp(join(import.meta.dirname, 'telling'), folder, { recursive: true });
    await writeFile(join(folder, 'macros', 'dctl_query_comment.sql'), shown('sql'));
    await writeFile(join(folder, 'dbt_project.yml'), shown('yaml'), { flag: 'a' });
    return await deployProject(system, { folder });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What the macro printed, each time it ran. */
export async function told(system: System, runId: string): Promise<any[]> {
  const lines = (await logOf(system, runId)).split('\n').filter((line) => line.startsWith('{"told"'));
  if (lines.length === 0) throw new Error(`nothing was told: ${await logOf(system, runId)}`);
  return lines.map((line) => JSON.parse(line));
}
