import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { callerNetwork } from '../addresses.ts';
import { AppError } from '../errors.ts';

const maxFailures = 10;
const windowSeconds = 15 * 60;
/** Each password that is checked takes 32 MB and a core for a tenth of a second. */
const maxChecksAtOnce = 2;
const maxWaiting = 50;

/** Holds up whoever guesses passwords. */
export interface SignInLimit {
  /**
   * Calls `check`, which says whether the password was right. Throws when too many from this address were wrong for
   * this e-mail address, or when the server is busy with others.
   */
  guard(from: { address: string; email: string }, check: () => Promise<boolean>): Promise<boolean>;
}

export function openSignInLimit(): SignInLimit {
  const tries = new RateLimiterMemory({ points: maxFailures, duration: windowSeconds });
  const waiting: (() => void)[] = [];
  let underWay = 0;

  async function takeTurn(): Promise<void> {
    if (underWay < maxChecksAtOnce) underWay += 1;
    else if (waiting.length >= maxWaiting)
      throw new AppError('unavailable', 'Too many people sign in right now. Try again in a moment.', {
        retryAfterSeconds: 2,
      });
    else await new Promise<void>((resolve) => waiting.push(resolve));
  }

  /** The place goes to whoever waits longest. */
  function giveTurn(): void {
    const next = waiting.shift();
    if (next === undefined) underWay -= 1;
    else next();
  }

  return {
    async guard({ address, email }, check) {
      const key = `${callerNetwork(address)} ${email}`;
      const before = await tries.get(key);
      if (before !== null && before.consumedPoints >= maxFailures) refuse(before);
      await takeTurn();
      try {
        // Counted before it is known to be wrong: many at once get no further than one after the other.
        await tries.consume(key).catch(refuse);
        const isRight = await check();
        if (isRight) await tries.delete(key);
        return isRight;
      } finally {
        giveTurn();
      }
    },
  };
}

function refuse(reason: unknown): never {
  if (!(reason instanceof RateLimiterRes)) throw reason;
  const minutes = Math.ceil(reason.msBeforeNext / 60_000);
  throw new AppError(
    'too_many_requests',
    `Too many wrong passwords: try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`,
    { retryAfterSeconds: Math.ceil(reason.msBeforeNext / 1000) },
  );
}
