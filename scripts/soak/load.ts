import { setTimeout as delay } from 'node:timers/promises';
import { randomOf, type Random } from './random.ts';

/** What callers were told, each time they asked for a run. */
export interface Asked {
  /** Null: an answer of 200 never came, and without a key nobody may ask again. */
  runId: string | null;
  key: string | null;
  /** How often it was asked for. */
  times: number;
  /** Every run id that was answered: all the same. */
  answered: Set<string>;
}

export interface Load {
  url: string;
  headers: Record<string, string>;
  projectId: string;
  jobIds: string[];
  seed: number;
  /** Whether there is room for one more run. */
  hasRoom(): Promise<boolean>;
}

const callers = 4;

/**
 * Asks for runs, with and without keys, until the signal aborts; gives up now and then before the answer comes, and
 * asks again where there is a key until one has come. Cancels some. Returns what it was told.
 */
export async function triggerAtRandom(load: Load, signal: AbortSignal): Promise<Asked[]> {
  const asked: Asked[] = [];
  const cancels: Promise<unknown>[] = [];
  const one = async (caller: number) => {
    const random = randomOf(load.seed, `caller ${caller}`);
    for (let number = 1; !signal.aborted; number += 1) {
      await delay(random.between(10, 400));
      if (!(await load.hasRoom())) continue;
      const entry: Asked = {
        runId: null,
        key: random.isHit(0.5) ? `${caller}-${number}` : null,
        times: 0,
        answered: new Set(),
      };
      asked.push(entry);
      await askForRun(load, random, entry, random.pick(load.jobIds));
      if (entry.runId !== null && random.isHit(0.1)) cancels.push(cancelSoon(load, random, entry.runId));
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => one(caller)));
  await Promise.all(cancels);
  return asked;
}

async function askForRun(load: Load, random: Random, entry: Asked, jobId: string): Promise<void> {
  const path = `/api/v1/projects/${load.projectId}/jobs/${jobId}/trigger`;
  const headers = entry.key === null ? {} : { 'idempotency-key': entry.key };
  // Asked once more though the first answer came, as a caller does that was itself restarted.
  let isEnough = 1 + Number(entry.key !== null && random.isHit(0.3));
  for (;;) {
    entry.times += 1;
    const patienceMs = entry.key !== null && random.isHit(0.2) ? random.between(1, 40) : 30_000;
    const answer = await post(load, path, headers, patienceMs);
    if (answer?.status === 200) {
      entry.runId = (answer.body as { job_run_id: string }).job_run_id;
      entry.answered.add(entry.runId);
      isEnough -= 1;
    }
    if (isEnough === 0 || entry.key === null) return;
    await delay(random.between(50, 500));
  }
}

async function cancelSoon(load: Load, random: Random, runId: string): Promise<void> {
  await delay(random.between(0, 4_000));
  await post(load, `/api/v1/runs/${runId}/cancel`, {}, 30_000);
}

/** Null where no answer came. */
async function post(
  { url, headers }: Load,
  path: string,
  more: Record<string, string>,
  patienceMs: number,
): Promise<{ status: number; body: unknown } | null> {
  try {
    const answer = await fetch(url + path, {
      method: 'POST',
      headers: { ...headers, ...more },
      signal: AbortSignal.timeout(Math.ceil(patienceMs)),
    });
    return { status: answer.status, body: await answer.json() };
  } catch {
    return null;
  }
}
