import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { AuthStyle } from './schema.ts';

/** A request as it came. */
export interface Signed {
  header(name: string): string | undefined;
  body: Buffer;
}

/** Of what was signed longer ago, somebody may have kept a copy. So long may a clock go wrong, too. */
const toleranceSeconds = 5 * 60;

/** Whether who sent the request knows the secret of its source, and sent it now where the style tells that. */
export function isSigned(auth: AuthStyle, secret: string, request: Signed, now: Date): boolean {
  switch (auth) {
    case 'token':
      return isSame(
        /^bearer +(\S+)$/i.exec(request.header('authorization')?.trim() ?? '')?.[1] ?? '',
        secret,
      );
    case 'standard_webhooks':
      return isStandard(secret, request, now);
    case 'github':
      return isSame(
        request.header('x-hub-signature-256') ?? '',
        `sha256=${hmac(secret, request.body).toString('hex')}`,
      );
    case 'stripe':
      return isOfStripe(secret, request, now);
  }
}

function isStandard(secret: string, { header, body }: Signed, now: Date): boolean {
  const [id, time] = [header('webhook-id') ?? '', header('webhook-timestamp') ?? ''];
  if (id === '' || !isRecent(time, now)) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = `v1,${hmac(key, `${id}.${time}.`, body).toString('base64')}`;
  // A sender whose secret is being changed signs with the old one as well.
  return (header('webhook-signature') ?? '')
    .split(' ', maxSignatures)
    .some((signature) => isSame(signature, expected));
}

function isOfStripe(secret: string, { header, body }: Signed, now: Date): boolean {
  const parts = (header('stripe-signature') ?? '').split(',', maxSignatures).map((part) => part.trim());
  const valuesOf = (name: string) =>
    parts.filter((part) => part.startsWith(`${name}=`)).map((part) => part.slice(name.length + 1));
  const [time = '', ...more] = valuesOf('t');
  if (more.length > 0 || !isRecent(time, now)) return false;
  const expected = hmac(secret, `${time}.`, body).toString('hex');
  return valuesOf('v1').some((signature) => isSame(signature, expected));
}

const maxSignatures = 10;

function isRecent(seconds: string, now: Date): boolean {
  if (!/^\d{1,12}$/.test(seconds)) return false;
  return Math.abs(now.getTime() / 1_000 - Number(seconds)) <= toleranceSeconds;
}

function hmac(key: string | Buffer, ...parts: (string | Buffer)[]): Buffer {
  const hash = createHmac('sha256', key);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Takes as long whatever is given, but for its length. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return expected !== '' && timingSafeEqual(digest(given), digest(expected));
}
