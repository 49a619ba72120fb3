import { writeFile, rm, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from './context.ts';
import type { FieldProblem } from './errors.ts';

const lookMs = 2_000;

/** What keeps this server from taking triggers right now; empty when nothing does. */
export async function readiness({ db, config, doorbell }: Context): Promise<FieldProblem[]> {
  const looks: [string, string, () => Promise<unknown>][] = [
    ['database', 'The database does not answer (DATABASE_URL).', () => db.$queryRaw`SELECT 1`],
    ['queue', 'The message queue does not answer (REDIS_URL).', () => doorbell.check()],
    [
      'storage',
      'The storage folder cannot be written (DCTL_STORAGE_DIR).',
      () => tryWriting(config.DCTL_STORAGE_DIR),
    ],
  ];
  const found = await Promise.all(
    looks.map(async ([pointer, detail, look]) => ((await answersInTime(look)) ? [] : [{ pointer, detail }])),
  );
  return found.flat();
}

async function answersInTime(look: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), lookMs);
  });
  const answered = look().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function tryWriting(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, `.writable-${process.pid}`);
  await writeFile(file, '');
  await rm(file, { force: true });
}
