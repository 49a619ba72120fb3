/** What became of one POST. `answer`: the first 2 KiB of the receiver's text. */
export type PostOutcome =
  | { kind: 'answered'; status: number; durationMs: number; answer: string }
  /** `status` where the head of an answer came in time and its body did not. */
  | { kind: 'timed_out'; status: number | null; durationMs: number; answer: string }
  /** Nothing was sent: the host is not one that webhooks may reach. Says nothing about what is behind it. */
  | { kind: 'blocked'; reason: string }
  /** No answer came: name look-up, connection, TLS, or a connection that broke. */
  | { kind: 'failed'; durationMs: number; reason: string };

/** What follows from a try. `why` is a sentence for whoever reads the delivery's history. */
export type NextStep =
  | { state: 'delivered' | 'failed' | 'blocked'; why: string }
  | { state: 'retry'; retryAfterMs: number; why: string };

const maxTries = 2;

/**
 * Decides what follows from try number `tryNumber` (from 1). One retry, and only where the receiver may not have
 * worked: a 5xx answer, or none. A refusal (3xx, 4xx) would be the same again.
 */
export function nextStep(
  outcome: PostOutcome,
  tryNumber: number,
  receiver: {
    /** The body carried a `dag_run_id`, so a 409 after a try whose answer we missed means it had arrived. */
    knowsRepeats: boolean;
    /** An earlier delivery told the same. */
    toldBefore?: boolean;
    retryAfterMs?: number;
  },
): NextStep {
  const retryAfterMs = receiver.retryAfterMs ?? 2000;
  const retryOnce = (what: string): NextStep =>
    tryNumber < maxTries
      ? { state: 'retry', retryAfterMs, why: `${what} It is sent once more after ${retryAfterMs / 1000} s.` }
      : { state: 'failed', why: `${what} It was the last of ${maxTries} tries.` };

  switch (outcome.kind) {
    case 'blocked':
      return { state: 'blocked', why: `${outcome.reason} Nothing was sent, and it is not tried again.` };
    case 'timed_out':
      return retryOnce(
        'No complete answer came in time; the receiver may have got the webhook all the same.',
      );
    case 'failed':
      return retryOnce(outcome.reason);
    case 'answered':
      break;
  }

  const { status } = outcome;
  if (status >= 200 && status < 300) return { state: 'delivered', why: `The receiver answered ${status}.` };
  if (status >= 500) return retryOnce(`The receiver answered ${status}.`);
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
