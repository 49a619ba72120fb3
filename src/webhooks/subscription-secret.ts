import { createHmac, randomBytes } from 'node:crypto';
import type { Secrets } from '../secrets.ts';

export function newSubscriptionSecret(): string {
  return randomBytes(32).toString('hex');
}

export function sealSubscriptionSecret(id: string, secret: string, secrets: Secrets): string {
  return secrets.seal(secret, placeOf(id));
}

/** Throws when it was sealed with a key that this process does not have. */
export function openSubscriptionSecret(
  { id, secret }: { id: string; secret: string },
  secrets: Secrets,
): string {
  return secrets.open(secret, placeOf(id));
}

/** dbt Cloud's signature: the bare hex HMAC-SHA256 of the body, keyed with the secret as its owner sees it. */
export function subscriptionSignature(body: Buffer, secret: string): Record<string, string> {
  return { Authorization: createHmac('sha256', secret).update(body).digest('hex') };
}

const placeOf = (id: string) => `webhook_subscriptions:${id}:secret`;
