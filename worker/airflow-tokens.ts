import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Cidr } from '../src/addresses.ts';
import type { PostOutcome } from '../src/webhooks/attempt.ts';
import type { AirflowAuth } from '../src/webhooks/webhook-auth.ts';
import { postOnce } from './safe-fetch.ts';

/** `wasKept`: it was fetched for an earlier webhook. */
export type AirflowToken = { token: string; wasKept: boolean };
/** Why there is none, as the outcome of the try that needed it. */
type NoToken = { outcome: PostOutcome };

interface Limits {
  allowCidrs: readonly Cidr[];
  timeoutMs: number;
}

/** Airflow's own tokens live for a day. */
const lifetimeMs = 10 * 60_000;
/** A token is not used any more so long before it ends: the webhook has to get there. */
const marginMs = 30_000;
const maxKept = 1_000;
const maxTokenBytes = 65_536;

const tokenAnswer = z.object({ access_token: z.string().regex(/^[\x21-\x7e]+$/) });
const claims = z.object({ exp: z.number() });

/** The tokens that receivers of webhooks gave to this worker. In memory alone: another worker fetches its own. */
export class AirflowTokens {
  readonly #kept = new Map<string, { token: string; until: number }>();
  /** Many webhooks that need the same token at once wait for one answer. */
  readonly #underWay = new Map<string, Promise<AirflowToken | NoToken>>();

  async tokenFor(auth: AirflowAuth, limits: Limits): Promise<AirflowToken | NoToken> {
    const key = keyOf(auth);
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.until > Date.now()) return { token: kept.token, wasKept: true };
    const fetching = this.#underWay.get(key) ?? this.#fetch(key, auth, limits);
    this.#underWay.set(key, fetching);
    return fetching;
  }

  /** In place of one that was refused. */
  renewed(auth: AirflowAuth, refused: string, limits: Limits): Promise<AirflowToken | NoToken> {
    const key = keyOf(auth);
    if (this.#kept.get(key)?.token === refused) this.#kept.delete(key);
    return this.tokenFor(auth, limits);
  }

  async #fetch(key: string, auth: AirflowAuth, limits: Limits): Promise<AirflowToken | NoToken> {
    const fetched = await fetchToken(auth, limits).finally(() => this.#underWay.delete(key));
    if (!('token' in fetched)) return fetched;
    this.#forgetOld();
    this.#kept.set(key, { token: fetched.token, until: usableUntil(fetched.token) });
    return fetched;
  }

  #forgetOld(): void {
    for (const [key, { until }] of this.#kept) if (until <= Date.now()) this.#kept.delete(key);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= maxKept && oldest !== undefined) this.#kept.delete(oldest);
  }
}

/** Nothing of what was sent, nor of the answer, goes into the outcome: both are secret. */
async function fetchToken(
  { tokenUrl, username, password }: AirflowAuth,
  limits: Limits,
): Promise<AirflowToken | NoToken> {
  const outcome = await postOnce({
    ...limits,
    url: tokenUrl,
    headers: { 'Content-Type': 'application/json', 'User-Agent': 'dctl' },
    body: Buffer.from(JSON.stringify({ username, password })),
    maxAnswerBytes: maxTokenBytes,
    keptAnswerBytes: maxTokenBytes,
  });
  const durationMs = 'durationMs' in outcome ? outcome.durationMs : 0;
  const failed = (why: string, isRefusal = false): NoToken => ({
    outcome: { kind: 'failed', durationMs, reason: `No token could be fetched: ${why}`, isRefusal },
  });
  switch (outcome.kind) {
    case 'blocked':
      return {
        outcome: { kind: 'blocked', reason: `No token could be fetched from token_url: ${outcome.reason}` },
      };
    case 'timed_out':
      return failed('token_url did not answer in time.');
    case 'failed':
      return failed(`${outcome.reason} That was at token_url.`);
    case 'answered':
      break;
  }
  const { status, answer } = outcome;
  if (status === 401 || status === 403) {
    return failed(`token_url answered ${status}. Check the username and password of webhook_auth.`, true);
  }
  if (status !== 200 && status !== 201) return failed(`token_url answered ${status}.`, status < 500);
  const parsed = tokenAnswer.safeParse(readJson(answer));
  if (!parsed.success) return failed(`token_url answered ${status} without an access_token.`, true);
  return { token: parsed.data.access_token, wasKept: false };
}

/** By our clock. The token is Airflow's to judge: its signature is not looked at here. */
function usableUntil(token: string): number {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  const parsed = claims.safeParse(readJson(payload));
  return parsed.success ? parsed.data.exp * 1_000 - marginMs : Date.now() + lifetimeMs;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Names the password without holding it. */
function keyOf({ tokenUrl, username, password }: AirflowAuth): string {
  return createHash('sha256')
    .update(JSON.stringify([tokenUrl, username, password]))
    .digest('base64');
}
