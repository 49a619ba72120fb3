import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';

/** How often the files are looked at. They are read, since some file systems tell nobody of a change. */
const lookEveryMs = 1_000;

/** A certificate with its key, as the files held them: PEM. */
export interface Certificate {
  cert: Buffer;
  key: Buffer;
  /** The last moment it is good for. */
  validTo: Date;
}

/** What https is spoken with; undefined where the settings name no files. Throws one sentence when they cannot be used. */
export function readCertificate(config: Config): Certificate | undefined {
  const { DCTL_TLS_CERT: certFile, DCTL_TLS_KEY: keyFile } = config;
  if (certFile === undefined || keyFile === undefined) return undefined;
  return fittingPair(readPem('DCTL_TLS_CERT', certFile), readPem('DCTL_TLS_KEY', keyFile));
}

/**
 * Tells of each new pair that the files come to hold, however they are replaced. What cannot be used leaves the old pair
 * as it is, and is warned of once: at the second look, for whoever writes one file after the other is not done at the first.
 */
export function watchCertificate(
  { config, log }: { config: Config; log: Log },
  first: Certificate,
  onChange: (certificate: Certificate) => void,
): { close(): void } {
  let used = digestOf(first);
  let problem = { text: '', looks: 0 };
  const look = () => {
    try {
      const found = readCertificate(config);
      problem = { text: '', looks: 0 };
      if (found === undefined || digestOf(found) === used) return;
      onChange(found);
      used = digestOf(found);
      log.info({ validTo: found.validTo.toISOString() }, 'a new TLS certificate is served');
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      problem = { text, looks: text === problem.text ? problem.looks + 1 : 1 };
      if (problem.looks === 2)
        log.warn({ problem: text }, 'the new TLS certificate cannot be used; the one before is still served');
    }
  };
  const timer = setInterval(look, lookEveryMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

function readPem(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new Error(`${setting}: ${file} cannot be read (${code})`, { cause: error });
  }
}

function fittingPair(cert: Buffer, key: Buffer): Certificate {
  const leaf = orSay('DCTL_TLS_CERT: the file holds no certificate in PEM', () => new X509Certificate(cert));
  const ownKey = orSay('DCTL_TLS_KEY: the file holds no private key in PEM without a passphrase', () =>
    createPrivateKey(key),
  );
  if (!leaf.checkPrivateKey(ownKey)) {
    throw new Error(
      'DCTL_TLS_KEY: the key is not that of the certificate in DCTL_TLS_CERT, whose first certificate has to be the server’s own',
    );
  }
  // Such as a key that is too short for what OpenSSL takes for safe.
  orSay('DCTL_TLS_CERT: the certificate cannot be used', () => createSecureContext({ cert, key }));
  return { cert, key, validTo: leaf.validToDate };
}

/** What OpenSSL says stays in `cause`: it is no sentence, and its wording changes. */
function orSay<T>(sentence: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new Error(sentence, { cause });
  }
}

function digestOf({ cert, key }: Certificate): string {
  return createHash('sha256').update(cert).update('\0').update(key).digest('base64');
}
