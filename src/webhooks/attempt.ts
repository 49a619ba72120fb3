/** What became of one POST. `answer`: the first 2 KiB of the receiver's text. */
export type PostOutcome =
  | { kind: 'answered'; status: number; durationMs: number; answer: string }
  /** `status` where the head of an answer came in time and its body did not. */
  | { kind: 'timed_out'; status: number | null; durationMs: number; answer: string }
  /** Nothing was sent: the host is not one that webhooks may reach. Says nothing about what is behind it. */
  | { kind: 'blocked'; reason: string }
  /**
   * No answer came: name look-up, connection, TLS, a connection that broke, or no token to be let in with.
   * `isRefusal`: it would be the same again.
   */
  | { kind: 'failed'; durationMs: number; reason: string; isRefusal?: boolean };

/** What follows from a try. `why` is a sentence for whoever reads the delivery's history. */
export type NextStep =
  | { state: 'delivered' | 'failed' | 'blocked'; why: string }
  | { state: 'retry'; retryAfterMs: number; why: string };

/** What is known of whoever a webhook is for. */
export interface ReceiverTraits {
  /** The body carried a `dag_run_id`, so a 409 after a try whose answer we missed means it had arrived. */
  knowsRepeats: boolean;
  /** An earlier delivery told the same. */
  toldBefore?: boolean;
  /** How long to wait before each retry; there are as many. One of 2 s when left out. */
  pausesMs?: readonly number[];
  /** A 429 is tried again too. */
  isPatient?: boolean;
}

/**
 * Decides what follows from try number `tryNumber` (from 1). There is a retry only where the receiver may not have
 * worked: a 5xx answer, or none. A refusal (3xx, 4xx) would be the same again.
 */
export function nextStep(outcome: PostOutcome, tryNumber: number, receiver: ReceiverTraits): NextStep {
  const pausesMs = receiver.pausesMs ?? [2000];
  const again = (what: string): NextStep => {
    const retryAfterMs = pausesMs[tryNumber - 1];
    if (retryAfterMs === undefined)
      return { state: 'failed', why: `${what} ${noFurther(pausesMs.length + 1)}` };
    const times = tryNumber === pausesMs.length ? 'once more' : 'again';
    return {
      state: 'retry',
      retryAfterMs,
      why: `${what} It is sent ${times} after ${retryAfterMs / 1000} s.`,
    };
  };

  switch (outcome.kind) {
    case 'blocked':
      return { state: 'blocked', why: `${outcome.reason} Nothing was sent, and it is not tried again.` };
    case 'timed_out':
      return again('No complete answer came in time; the receiver may have got the webhook all the same.');
    case 'failed':
      return outcome.isRefusal === true
        ? { state: 'failed', why: `${outcome.reason} It is not tried again.` }
        : again(outcome.reason);
    case 'answered':
      break;
  }

  const { status } = outcome;
  if (status >= 200 && status < 300) return { state: 'delivered', why: `The receiver answered ${status}.` };
  if (status >= 500 || (status === 429 && receiver.isPatient === true))
    return again(`The receiver answered ${status}.`);
  if (status === 409 && receiver.knowsRepeats) {
    if (tryNumber > 1)
      return { state: 'delivered', why: 'The receiver answered 409: the first try had already arrived.' };
    if (receiver.toldBefore === true)
      return { state: 'delivered', why: 'The receiver answered 409: it knows of this run already.' };
  }
  if (status >= 300 && status < 400) {
    return {
      state: 'failed',
      why: `The receiver answered ${status}: redirects are not followed, nor tried again.`,
    };
  }
  return { state: 'failed', why: `The receiver answered ${status}: a refusal is not tried again.` };
}

function noFurther(tries: number): string {
  return tries === 1 ? 'It was the only try.' : `It was the last of ${tries} tries.`;
}
