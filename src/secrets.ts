import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';

/** Encrypts what must be recoverable and hashes what must only be recognised. */
export interface Secrets {
  /** Names the current key, and tells nothing of it. */
  keyId: string;
  /** AES-256-GCM with the current key, bound to the place the value is stored at (`table:row:column`). */
  seal(plain: string, place: string): string;
  /** Throws when the text was stored at another place, changed, or sealed with a key that is not in the ring. */
  open(sealed: string, place: string): string;
  /** Keyed SHA-256 with the current key: 32 bytes that are useless without it. */
  fingerprint(text: string): Buffer;
  /** The same with each key of the ring, the current one first. */
  fingerprints(text: string): Buffer[];
  /** Sessions are signed with the first; each of them verifies. */
  sessionKeys: readonly KeyObject[];
}

/** What `sealed` begins with when the current key sealed it. */
export const sealedWith = (keyId: string) => `v2.${keyId}.`;

/**
 * Each key: 32 bytes in base64. What `current` made is recognised first; what was made with one of the older keys
 * still opens. Every purpose has a key of its own, derived from these.
 */
export function createSecrets(current: string, older: readonly string[] = []): Secrets {
  const newest = deriveKeys(current);
  const ring = [newest, ...older.map(deriveKeys)];
  const fingerprint = (keys: Keys, text: string) =>
    createHmac('sha256', keys.fingerprint).update(text).digest();

  return {
    keyId: newest.id,
    seal: (plain, place) => sealedWith(newest.id) + encrypt(newest.sealing, plain, place),
    open(sealed, place) {
      const form = readSealed(sealed, place);
      const keys = form.keyId === undefined ? ring : ring.filter(({ id }) => id === form.keyId);
      for (const { sealing } of keys) {
        const plain = decrypt(sealing, form, place);
        if (plain !== undefined) return plain;
      }
      throw new Error(
        keys.length === 0 || form.keyId === undefined
          ? `${place} was sealed with a key that is not in the ring: add the key it was sealed with to DCTL_OLD_SECRET_KEYS, or set the value again`
          : `${place} does not open: it was changed, or moved there from another place`,
      );
    },
    fingerprint: (text) => fingerprint(newest, text),
    fingerprints: (text) => ring.map((keys) => fingerprint(keys, text)),
    sessionKeys: ring.map(({ session }) => session),
  };
}

interface Keys {
  id: string;
  sealing: Buffer;
  fingerprint: Buffer;
  session: KeyObject;
}

function deriveKeys(key: string): Keys {
  const master = Buffer.from(key, 'base64');
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', master, '', `dctl ${purpose}`, 32));
  return {
    id: derive('key id').toString('hex').slice(0, 12),
    sealing: derive('sealing'),
    fingerprint: derive('fingerprint'),
    session: createSecretKey(derive('session')),
  };
}

function encrypt(key: Buffer, plain: string, place: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
  const content = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${nonce.toString('base64')}.${content.toString('base64')}`;
}

interface Sealed {
  /** Undefined: sealed before keys had names. */
  keyId: string | undefined;
  nonce: Buffer;
  content: Buffer;
}

/** `v2.<key id>.<nonce>.<content>`; before keys had names `v1.<nonce>.<content>`. */
function readSealed(sealed: string, place: string): Sealed {
  const parts = sealed.split('.');
  const version = parts.shift();
  const keyId = version === 'v2' ? parts.shift() : undefined;
  const [nonce, content] = parts.map((part) => Buffer.from(part, 'base64'));
  const isKnown = (version === 'v2' && keyId !== undefined) || version === 'v1';
  if (!isKnown || nonce?.length !== 12 || content === undefined || content.length < 16)
    throw new Error(`${place} holds something that was not sealed by dctl`);
  return { keyId, nonce, content };
}

function decrypt(key: Buffer, { nonce, content }: Sealed, place: string): string | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
    .setAAD(Buffer.from(place))
    .setAuthTag(content.subarray(-16));
  const plain = decipher.update(content.subarray(0, -16));
  try {
    return Buffer.concat([plain, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
