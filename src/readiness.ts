import { writeFile, rm, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from './context.ts';
import { AppError, type FieldProblem } from './errors.ts';

const lookMs = 2_000;

/** A part that must answer. `look` throws when it does not, or says what is wrong with it. */
export interface Part {
  pointer: string;
  /** What is said when it throws, or does not answer in time. */
  detail: string;
  look(): Promise<string | null | void>;
}

/** What must answer so that this server can take triggers. */
export function partsOfServer(context: Context): Part[] {
  const { config, doorbell } = context;
  return [
    database(context),
    {
      pointer: 'queue',
      detail: 'The message queue does not answer (REDIS_URL).',
      look: () => doorbell.findProblem(),
    },
    {
      pointer: 'storage',
      detail: 'The storage folder cannot be written (DCTL_STORAGE_DIR).',
      look: () => tryWriting(config.DCTL_STORAGE_DIR),
    },
  ];
}

export function database({ db }: Context): Part {
  return {
    pointer: 'database',
    detail: 'The database does not answer (DATABASE_URL).',
    look: async () => void (await db.$queryRaw`SELECT 1`),
  };
}

/** Throws an AppError that names every part that is out of order. */
export async function requireReady(parts: Part[]): Promise<void> {
  const found = await Promise.all(parts.map(problemOf));
  const problems = found.filter((problem) => problem !== null);
  if (problems.length === 0) return;
  throw new AppError('unavailable', problems.map(({ detail }) => detail).join(' '), { problems });
}

async function problemOf({ pointer, detail, look }: Part): Promise<FieldProblem | null> {
  let found: string | null | void = null;
  const answered = await answersInTime(async () => {
    found = await look();
  });
  if (!answered) return { pointer, detail };
  return typeof found === 'string' ? { pointer, detail: found } : null;
}

/** False when it throws, or takes longer than 2 s. */
export async function answersInTime(look: () => Promise<unknown>): Promise<boolean> {
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
