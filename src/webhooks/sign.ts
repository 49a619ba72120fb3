import { createHmac, randomBytes } from 'node:crypto';

const prefix = 'whsec_';

/** 32 random bytes as `whsec_<base64>`, the form Standard Webhooks libraries take. */
export function newWebhookSecret(): string {
  return prefix + randomBytes(32).toString('base64');
}

/**
 * The headers that let a receiver check who sent `body` and when.
 *
 * `X-Dagctl-Signature` is keyed with the whole secret text as the user sees it, so `openssl dgst -hmac "$SECRET"`
 * verifies it; while a secret is being replaced, `X-Dagctl-Signature-Previous` is the same with the one before it.
 * `webhook-signature` follows Standard Webhooks 1.0.0, whose key is the bytes behind `whsec_`.
 */
export function signatureHeaders(message: {
  /** Stays the same on the retry: receivers recognise a repeated delivery by it. */
  deliveryId: string;
  event: string;
  /** When this try starts, not when the delivery was made: receivers refuse old ones as replays. */
  sentAt: Date;
  /** Exactly what goes over the wire. */
  body: Buffer | string;
  /** The current secret first, then older ones that receivers may still verify with. */
  secrets: readonly string[];
}): Record<string, string> {
  const [current, previous] = message.secrets;
  if (current === undefined) throw new Error('a webhook cannot be signed without a secret');

  const timestamp = String(Math.floor(message.sentAt.getTime() / 1000));
  const plainSignature = (secret: string) =>
    `sha256=${createHmac('sha256', secret).update(message.body).digest('hex')}`;
  const standardSignature = (secret: string) =>
    createHmac('sha256', standardKey(secret))
      .update(`${message.deliveryId}.${timestamp}.`)
      .update(message.body)
      .digest('base64');

  return {
    'X-Dagctl-Event': message.event,
    'X-Dagctl-Signature': plainSignature(current),
    ...(previous === undefined ? {} : { 'X-Dagctl-Signature-Previous': plainSignature(previous) }),
    'webhook-id': message.deliveryId,
    'webhook-timestamp': timestamp,
    'webhook-signature': message.secrets.map((secret) => `v1,${standardSignature(secret)}`).join(' '),
  };
}

function standardKey(secret: string): Buffer {
  return Buffer.from(secret.slice(secret.startsWith(prefix) ? prefix.length : 0), 'base64');
}
