export type Verdict =
  | { isGenuine: true; event: string | null; deliveryId: string | null; sentAt: Date | null }
  | { isGenuine: false; why: string };

/** Older ones could be somebody's who recorded them. */
const usualToleranceSeconds = 300;
/** The server sends two at most. */
const mostSignatures = 5;

/**
 * Whether a webhook is from the server that made `secret` (`whsec_...`). `body`: the bytes as they arrived, before any
 * parser has touched them. The Standard Webhooks signature decides where it came along, since it covers the time too;
 * otherwise `X-Dagctl-Signature` does.
 */
export async function verifyWebhook(
  body: Uint8Array | string,
  headers: Headers | Record<string, string | string[] | undefined>,
  secret: string,
  options: { toleranceSeconds?: number; now?: Date } = {},
): Promise<Verdict> {
  const header = (name: string) => headerOf(headers, name);
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const deliveryId = header('webhook-id');
  const timestamp = header('webhook-timestamp');
  const standard = header('webhook-signature');
  // The second one comes while a secret is being replaced.
  const own = ['x-dagctl-signature', 'x-dagctl-signature-previous'].flatMap((name) => header(name) ?? []);
  const event = header('x-dagctl-event');

  if (standard === null) {
    if (own.length === 0) return not('it has neither webhook-signature nor X-Dagctl-Signature');
    const key = new TextEncoder().encode(secret);
    const checked = await Promise.all(
      own.map((each) => isSignedBy(key, fromHex(each.replace(/^sha256=/, '')), bytes)),
    );
    return checked.includes(true)
      ? { isGenuine: true, event, deliveryId, sentAt: null }
      : not(wrongSignature);
  }

  if (deliveryId === null || timestamp === null || !/^\d{1,12}$/.test(timestamp))
    return not('webhook-signature came without webhook-id and webhook-timestamp');
  const key = fromBase64(secret.replace(/^whsec_/, ''));
  if (key === null || key.length === 0)
    return not('the secret is not one of dctl: those are whsec_ and base64');
  const prefix = new TextEncoder().encode(`${deliveryId}.${timestamp}.`);
  const signed = new Uint8Array(prefix.length + bytes.length);
  signed.set(prefix);
  signed.set(bytes, prefix.length);
  const signatures = standard
    .split(' ')
    .filter((each) => each.startsWith('v1,'))
    // Each costs as much as the body is long, and comes from whoever likes to send one.
    .slice(0, mostSignatures)
    .map((each) => fromBase64(each.slice('v1,'.length)));
  const checked = await Promise.all(signatures.map((each) => isSignedBy(key, each, signed)));
  if (!checked.includes(true)) return not(wrongSignature);

  const sentAt = new Date(Number(timestamp) * 1_000);
  const { toleranceSeconds = usualToleranceSeconds, now = new Date() } = options;
  const apartSeconds = Math.abs(now.getTime() - sentAt.getTime()) / 1_000;
  if (apartSeconds > toleranceSeconds)
    return not(`it was sent at ${sentAt.toISOString()}, more than ${toleranceSeconds} seconds from now`);
  return { isGenuine: true, event, deliveryId, sentAt };
}

const wrongSignature = 'its signature is not one of this secret over this body';

function not(why: string): Verdict {
  return { isGenuine: false, why };
}

/** In a time that says nothing of how far a wrong signature was right. */
async function isSignedBy(
  key: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer> | null,
  signed: Uint8Array,
): Promise<boolean> {
  if (key.length === 0 || signature === null) return false;
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['verify']);
  return crypto.subtle.verify('HMAC', imported, signature, new Uint8Array(signed));
}

function headerOf(
  headers: Headers | Record<string, string | string[] | undefined>,
  name: string,
): string | null {
  if (headers instanceof Headers) return headers.get(name);
  const [, value] = Object.entries(headers).find(([each]) => each.toLowerCase() === name) ?? [];
  return (Array.isArray(value) ? value.join(' ') : value) ?? null;
}

function fromHex(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^([0-9a-f]{2})+$/i.test(text)) return null;
  return Uint8Array.from(text.match(/../g)!, (pair) => Number.parseInt(pair, 16));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
