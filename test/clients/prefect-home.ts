import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureClientEnvironment, runClient } from './environments.ts';

/**
 * A folder where Prefect's own server finds its tables. To make them takes seconds: that is done once for these packages,
 * then they are copied.
 */
export async function makePrefectHome(): Promise<{ folder: string; remove(): Promise<void> }> {
  const { bin } = await ensureClientEnvironment('dbt-cloud-clients');
  const folder = await mkdtemp(join(tmpdir(), 'dctl-prefect-'));
  const [file, kept] = [join(folder, 'prefect.db'), join(bin, '..', 'prefect.db')];
  if (existsSync(kept)) {
    await copyFile(kept, file);
  } else {
    const command = ['prefect', 'server', 'database', 'upgrade', '-y'] as const;
    const { exitCode, stderr } = await runClient('dbt-cloud-clients', [...command], {
      env: { PREFECT_HOME: folder },
    });
    if (exitCode !== 0) throw new Error(`Prefect made no tables: ${stderr}`);
    await copyFile(file, `${kept}.${process.pid}`);
    await rename(`${kept}.${process.pid}`, kept);
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }) };
}
