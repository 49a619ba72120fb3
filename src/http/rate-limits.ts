import type { Request, RequestHandler, Response } from 'express';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { callerNetwork } from '../addresses.ts';
import type { Caller, Context } from '../context.ts';
import { AppError } from '../errors.ts';
import { isProbe } from './probes.ts';

const windowSeconds = 60;

/** How many requests this process answers in a minute. Kept in its memory: counting waits for nothing. */
export interface RateLimits {
  /** For a token or a signed-in user. Throws when they have sent too many. */
  countCaller(caller: Caller, response: Response): Promise<void>;
  /** For whoever the server does not know. Throws when too many came from their address. */
  countAddress(request: Request, response: Response): Promise<void>;
}

export function openRateLimits({ config, metrics }: Context): RateLimits {
  // 0: there is none.
  const perCaller = config.DCTL_RATE_PER_TOKEN === 0 ? null : openLimit(config.DCTL_RATE_PER_TOKEN);
  const perAddress = config.DCTL_RATE_PER_ADDRESS === 0 ? null : openLimit(config.DCTL_RATE_PER_ADDRESS);

  const count = async (limit: Limit | null, key: string, response: Response, words: Words) => {
    if (limit === null) return;
    const { isOver, headers, resetSeconds } = await limit.count(key);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (!isOver) return;
    metrics.rateLimited.inc({ per: words.per });
    const detail = `${words.who} sent more than ${limit.perMinute} requests in a minute. Wait ${resetSeconds} s, or ask the operator to raise ${words.setting}.`;
    throw new AppError('too_many_requests', detail, { retryAfterSeconds: resetSeconds });
  };

  return {
    countCaller: (caller, response) =>
      caller.kind === 'token'
        ? count(perCaller, `token ${caller.principal.actor.id}`, response, ofToken)
        : count(perCaller, `user ${caller.user.id}`, response, ofUser),
    async countAddress(request, response) {
      if (isProbe(request.path)) return;
      await count(perAddress, callerNetwork(request.ip ?? ''), response, ofAddress);
    },
  };
}

/** For what is answered to anybody. */
export function limitAddresses({ countAddress }: RateLimits): RequestHandler {
  return (request, response, next) => {
    countAddress(request, response).then(() => next(), next);
  };
}

interface Words {
  per: 'token' | 'user' | 'address';
  who: string;
  setting: string;
}

const ofToken: Words = { per: 'token', who: 'This token', setting: 'DCTL_RATE_PER_TOKEN' };
const ofUser: Words = { per: 'user', who: 'You', setting: 'DCTL_RATE_PER_TOKEN' };
const ofAddress: Words = { per: 'address', who: 'This address', setting: 'DCTL_RATE_PER_ADDRESS' };

export interface Limit {
  perMinute: number;
  /** Counts one more. */
  count(key: string): Promise<Counted>;
}

export interface Counted {
  isOver: boolean;
  /** Until as many as at first may come again. */
  resetSeconds: number;
  /** What the answer says of it: `RateLimit-*`. */
  headers: Record<string, string>;
}

export function openLimit(perMinute: number): Limit {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: windowSeconds });
  return {
    perMinute,
    async count(key) {
      const { remainingPoints, msBeforeNext, isOver } = await limiter.consume(key).then(
        (counted) => ({ ...counted.toJSON(), isOver: false }),
        (reason: unknown) => {
          if (!(reason instanceof RateLimiterRes)) throw reason;
          return { ...reason.toJSON(), isOver: true };
        },
      );
      const resetSeconds = Math.max(1, Math.ceil(msBeforeNext / 1_000));
      return {
        isOver,
        resetSeconds,
        headers: {
          'RateLimit-Limit': String(perMinute),
          'RateLimit-Remaining': String(remainingPoints),
          'RateLimit-Reset': String(resetSeconds),
        },
      };
    },
  };
}
