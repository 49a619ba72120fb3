import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** Encrypts what must be recoverable and hashes what must only be recognised. */
export interface Secrets {
  /** AES-256-GCM, bound to the place the value is stored at (`table:row:column`). */
  seal(plain: string, place: string): string;
  /** Throws when the text was stored at another place, changed, or sealed with another key. */
  open(sealed: string, place: string): string;
  /** Keyed SHA-256: 32 bytes that are useless without the server's key. */
  fingerprint(text: string): Buffer;
}

const version = 'v1';

/** `masterKey`: 32 bytes in base64. Encryption and fingerprints use keys derived from it. */
export function createSecrets(masterKey: string): Secrets {
  const master = Buffer.from(masterKey, 'base64');
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', master, '', `dctl ${purpose}`, 32));
  const sealingKey = derive('sealing');
  const fingerprintKey = derive('fingerprint');

  return {
    seal(plain, place) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce).setAAD(Buffer.from(place));
      const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return [version, nonce.toString('base64'), sealed.toString('base64')].join('.');
    },
    open(sealed, place) {
      const [given, nonce, content] = sealed.split('.');
      if (given !== version || !nonce || !content) throw new Error('a sealed value has an unknown form');
      const bytes = Buffer.from(content, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', sealingKey, Buffer.from(nonce, 'base64'))
        .setAAD(Buffer.from(place))
        .setAuthTag(bytes.subarray(-16));
      return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8');
    },
    fingerprint: (text) => createHmac('sha256', fingerprintKey).update(text).digest(),
  };
}
