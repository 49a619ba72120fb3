import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';

/** Later ones do not wait longer than this for a call before them that does not come to its end. */
const patienceMs = 250;
/** Of what one call is handed. */
const mostAtOnce = 200;

/**
 * Does for several at once what they ask for at the same time. Whoever asks while a call with the same key is under way is
 * answered by the next one, with all others who asked meanwhile. A call begins after everybody it answers has asked: its
 * answer is no older than that of a call of their own.
 *
 * `work`: answers each item in the place where it stands. `restMs`: between two calls, for what is not urgent while it
 * comes in floods.
 */
export function inBatches<Item, Answer>(
  work: (items: Item[]) => Promise<Answer[]>,
  { restMs = 0 }: { restMs?: number } = {},
): (key: string, item: Item) => Promise<Answer> {
  /** Of each key with a call under way: who waits for the next. */
  const lines = new Map<string, Asked<Item, Answer>[]>();

  const serve = async (key: string, line: Asked<Item, Answer>[]) => {
    while (line.length > 0) {
      // Whatever else has come in just now comes along.
      await immediate();
      await endOrPatience(call(work, line.splice(0, mostAtOnce)));
      if (restMs > 0) await delay(restMs);
    }
    lines.delete(key);
  };

  return (key, item) =>
    new Promise((resolve, reject) => {
      const asked = { item, resolve, reject };
      const line = lines.get(key);
      if (line !== undefined) return void line.push(asked);
      const begun = [asked];
      lines.set(key, begun);
      void serve(key, begun);
    });
}

/** The same for what is looked up: all who ask at the same time get the same. */
export function shared<Question, Answer>(
  look: (question: Question) => Promise<Answer>,
  options?: { restMs: number },
): (key: string, question: Question) => Promise<Answer> {
  return inBatches(async (questions: Question[]) => {
    const answer = await look(questions[0]!);
    return questions.map(() => answer);
  }, options);
}

interface Asked<Item, Answer> {
  item: Item;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** Never rejects. */
async function call<Item, Answer>(
  work: (items: Item[]) => Promise<Answer[]>,
  batch: Asked<Item, Answer>[],
): Promise<void> {
  try {
    const answers = await work(batch.map(({ item }) => item));
    batch.forEach(({ resolve }, place) => resolve(answers[place]!));
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}

async function endOrPatience(end: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patienceMs);
  });
  await Promise.race([end, patience]);
  clearTimeout(timer);
}
