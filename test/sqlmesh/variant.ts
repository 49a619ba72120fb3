import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const example = join(process.cwd(), 'examples', 'sqlmesh_shop');

/** A copy of the example with other text in some of its files, with more files, or (null) with fewer; and what removes it. */
export async function variantOfExample(
  changes: Record<string, (text: string) => string | null>,
): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'dctl-sqlmesh-'));
  await cp(example, folder, { recursive: true });
  for (const [path, change] of Object.entries(changes)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    const text = change(await readFile(file, 'utf8').catch(() => ''));
    await (text === null ? rm(file) : writeFile(file, text));
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
