import { randomBytes } from 'node:crypto';
import type { Secrets } from '../secrets.ts';
import type { AuthStyle } from './schema.ts';

/** A token is never taken for an API token (`dctl_...`). */
export function newSourceSecret(auth: AuthStyle): string {
  switch (auth) {
    case 'token':
      return `evs_${randomBytes(32).toString('base64url')}`;
    case 'standard_webhooks':
    case 'stripe':
      return `whsec_${randomBytes(32).toString('base64')}`;
    case 'github':
      return randomBytes(32).toString('hex');
  }
}

/** What is wrong with one that the sender has made, in a sentence; null when nothing is. */
export function givenSecretProblem(auth: AuthStyle, secret: string): string | null {
  if (auth === 'token') return 'A token is made by this server: leave secret out.';
  if (auth !== 'standard_webhooks') return null;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const isBase64 = /^(whsec_)?[A-Za-z0-9+/]+={0,2}$/.test(secret);
  if (isBase64 && key.length >= 16) return null;
  return 'Write the secret as the sender shows it: whsec_ and at least 16 bytes in base64.';
}

export function sealSourceSecret(id: string, secret: string, secrets: Secrets): string {
  return secrets.seal(secret, placeOf(id));
}

/** Throws when it was sealed with a key that this process does not have. */
export function openSourceSecret({ id, secret }: { id: string; secret: string }, secrets: Secrets): string {
  return secrets.open(secret, placeOf(id));
}

const placeOf = (id: string) => `event_sources:${id}:secret`;
