import { Queue, Worker, withBackend, type AdvancedRepeatOptions } from 'bullmq';
import { inBatches } from './batches.ts';
import type { Config } from './config.ts';
import { timesOf } from './cron.ts';
import type { Log } from './log.ts';
import { postgresBackend, postgresConnection } from './queue-on-postgres.ts';

/**
 * The doorbell. A message holds an id and nothing else (the queue knows a schedule's times as well): Postgres has the
 * truth, so a lost message costs a few seconds (the sweeper rings again) and a doubled one costs nothing (the second claim
 * finds nothing to do).
 */
export interface Doorbell {
  // `delayMs`: not before that has passed.
  ringRun(runId: string, delayMs?: number): Promise<void>;
  ringDelivery(deliveryId: string, delayMs?: number): Promise<void>;
  ringPreparation(preparationId: string): Promise<void>;
  /** From now on rings for the job at each of the schedule's times. In place of the schedule it rang at, if there is one. */
  ringAtTimesOf(jobId: string, schedule: { cron: string; timezone: string }): Promise<void>;
  /** Rings at no time for the job any more. */
  ringNoMore(jobId: string): Promise<void>;
  /** How many jobs are rung for at times. Throws when the queue does not answer in time. */
  countSchedules(): Promise<number>;
  /** Their ids. */
  listSchedules(): Promise<string[]>;
  /** Messages that nobody has taken yet. Throws when the queue does not answer in time. */
  countWaiting(): Promise<{ runs: number; deliveries: number; preparations: number }>;
  /**
   * Why messages can't be queued for sure, in a sentence that says what to change; null when they can. Throws when the
   * queue does not answer.
   */
  findProblem(): Promise<string | null>;
  /** How the messages travel, for people. */
  readonly carrier: 'redis' | 'postgres';
  close(): Promise<void>;
}

export interface MessageHandler {
  /** Called once a message; what it throws is logged, and the message is over all the same. */
  handle(id: string): Promise<void>;
  concurrency: number;
}

const runMessages = 'dctl-runs';
const deliveryMessages = 'dctl-deliveries';
const scheduleMessages = 'dctl-schedules';
const preparationMessages = 'dctl-preparations';
const answerTimeoutMs = 1_000;
/** So many are listed in far less than that. */
const pageOfSchedules = 200;

type Message = { id: string };

/** Handled once, and gone. */
const forgotten = { attempts: 1, removeOnComplete: true, removeOnFail: true } as const;

/** When BullMQ rings next at a schedule's times: where the clock is changed, its own rules are others than ours. */
const settings: AdvancedRepeatOptions = {
  repeatStrategy: (after, { pattern, tz }) =>
    pattern === undefined
      ? undefined
      : timesOf(pattern, tz ?? 'UTC')
          .next(new Date(after))
          .getTime(),
};

export function openDoorbell(config: Config, log: Log): Doorbell {
  const { newQueue, carrier, findProblem } = carrierFor(config);
  const runs = newQueue(runMessages);
  const deliveries = newQueue(deliveryMessages);
  const schedules = newQueue(scheduleMessages);
  const preparations = newQueue(preparationMessages);
  const all = [runs, deliveries, schedules, preparations];
  for (const queue of all) {
    queue.on('error', (error) => log.warn({ error }, 'the message queue reported an error'));
  }

  // Rings that come while the queue is still taking others go to it together. What a single one costs is less.
  const queued = inBatches((rings: Ring[]) => {
    const [{ queue, message }] = rings as [Ring];
    const added =
      rings.length > 1
        ? queue.addBulk(rings.map((each) => each.message))
        : queue.add(message.name, message.data, message.opts).then((only) => [only]);
    return inTime(added);
  });
  const underWay = new Set<Promise<void>>();
  const ring = (queue: Queue, id: string, delayMs = 0): Promise<void> => {
    const message = { name: 'ring', data: { id }, opts: { ...forgotten, delay: delayMs } };
    const rung = queued(queue.name, { queue, message }).then(
      () => undefined,
      (error: unknown) => log.warn({ error, id }, 'a message was not queued; the sweeper will ring again'),
    );
    underWay.add(rung);
    return rung.finally(() => underWay.delete(rung));
  };

  const setSchedule = async (id: string, change: Promise<unknown>) => {
    await inTime(change).catch((error: unknown) =>
      log.warn({ error, id }, 'the times of a job were not set in the queue; the sweeper sees to it'),
    );
  };

  return {
    carrier,
    ringRun: (runId, delayMs) => ring(runs, runId, delayMs),
    ringDelivery: (deliveryId, delayMs) => ring(deliveries, deliveryId, delayMs),
    ringPreparation: (preparationId) => ring(preparations, preparationId),
    ringAtTimesOf: (jobId, { cron, timezone }) =>
      setSchedule(
        jobId,
        schedules.upsertJobScheduler(
          jobId,
          { pattern: cron, tz: timezone },
          { name: 'ring', data: { id: jobId } satisfies Message, opts: forgotten },
        ),
      ),
    ringNoMore: (jobId) => setSchedule(jobId, schedules.removeJobScheduler(jobId)),
    countSchedules: () => inTime(schedules.getJobSchedulersCount()),
    async listSchedules() {
      const ids: string[] = [];
      for (let page; page === undefined || page.length === pageOfSchedules;) {
        const end = ids.length + pageOfSchedules - 1;
        page = await inTime(schedules.getJobSchedulers(ids.length, end, true));
        ids.push(...page.map(({ key }) => key));
      }
      return ids;
    },
    async countWaiting() {
      const [waitingRuns, waitingDeliveries, waitingPreparations] = await inTime(
        Promise.all([runs, deliveries, preparations].map((queue) => queue.getWaitingCount())),
      );
      return { runs: waitingRuns!, deliveries: waitingDeliveries!, preparations: waitingPreparations! };
    },
    async findProblem() {
      await runs.getWaitingCount();
      return findProblem(runs);
    },
    async close() {
      await Promise.all(underWay);
      await Promise.all(all.map((queue) => queue.close()));
    },
  };
}

interface Ring {
  queue: Queue;
  message: { name: string; data: Message; opts: typeof forgotten & { delay: number } };
}

/** Without Redis, BullMQ would wait for it for ever. */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the message queue did not answer in time')), answerTimeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Starts taking messages. `close` stops taking more and waits for handlers that are at work. */
export function answerDoorbell(
  config: Config,
  log: Log,
  handlers: Record<'run' | 'delivery' | 'schedule' | 'preparation', MessageHandler>,
): { close(): Promise<void> } {
  const { newWorker } = carrierFor(config);
  const answer = (name: string, { handle, concurrency }: MessageHandler) => {
    const worker = newWorker(
      name,
      async (data) => {
        try {
          await handle(data.id);
        } catch (error) {
          log.error({ error, id: data.id, queue: name }, 'a message could not be handled');
        }
      },
      concurrency,
    );
    worker.on('error', (error) => log.warn({ error }, 'the message queue reported an error'));
    return worker;
  };
  const workers = [
    answer(runMessages, handlers.run),
    answer(deliveryMessages, handlers.delivery),
    answer(scheduleMessages, handlers.schedule),
    answer(preparationMessages, handlers.preparation),
  ];
  return {
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
    },
  };
}

/** Redis where an address is given, else BullMQ's own tables in Postgres (schema `bullmq`). */
function carrierFor(config: Config) {
  const workerOptions = { maxStalledCount: 1, drainDelay: 5, settings } as const;
  if (config.REDIS_URL !== undefined) {
    const connection = { url: config.REDIS_URL, maxRetriesPerRequest: null };
    return {
      carrier: 'redis' as const,
      findProblem: async (queue: Queue) =>
        // Where a hosted Redis keeps this to itself, there is nothing to say about it.
        problemOfRedis(await (await queue.backend.client).info().catch(() => '')),
      newQueue: (name: string): Queue => new Queue(name, { connection, settings }),
      newWorker: (name: string, process: (data: Message) => Promise<void>, concurrency: number): Worker =>
        new Worker(name, (message) => process(message.data as Message), {
          connection,
          concurrency,
          ...workerOptions,
        }),
    };
  }
  const onPostgres = withBackend(postgresBackend);
  const connection = postgresConnection(config.DATABASE_URL);
  return {
    carrier: 'postgres' as const,
    findProblem: async () => null,
    newQueue: (name: string) => new onPostgres.Queue(name, { connection, settings }) as unknown as Queue,
    newWorker: (name: string, process: (data: Message) => Promise<void>, concurrency: number) =>
      new onPostgres.Worker(name, (message) => process(message.data as Message), {
        connection,
        concurrency,
        ...workerOptions,
      }) as unknown as Worker,
  };
}

/** `info`: what Redis answers to INFO. */
function problemOfRedis(info: string): string | null {
  const about = new Map(info.split(/\r?\n/).map((line) => line.split(':', 2) as [string, string]));
  const policy = about.get('maxmemory_policy') ?? 'noeviction';
  if (policy !== 'noeviction') {
    return `Redis removes messages when its memory is full: set its maxmemory-policy, which is ${policy}, to noeviction.`;
  }
  const bytes = (name: string) => Number(about.get(name) ?? 0);
  const limit = bytes('maxmemory');
  if (limit > 0 && bytes('used_memory') - bytes('mem_not_counted_for_evict') >= limit) {
    return 'The memory of Redis is full, so it takes no messages: raise its maxmemory.';
  }
  return null;
}
