import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../scripts/setup/processes.ts';

/** Somebody who vouches for certificates, in a folder of its own. */
export interface Authority {
  folder: string;
  /** The file of its own certificate: what others have to trust. */
  ca: string;
  /** A new key and a certificate for it, as the two files `cert` and `key` of the folder. Returns their paths. */
  issue(options: {
    cert: string;
    key: string;
    /** Such as `IP:127.0.0.1`. */
    name: string;
    usage?: 'serverAuth' | 'clientAuth';
  }): Promise<{ cert: string; key: string }>;
  remove(): Promise<void>;
}

export async function makeAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'dctl-tls-'));
  const openssl = (...args: string[]) => runCommand('openssl', args, { cwd: folder });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const own = ['-keyout', 'ca-key.pem', '-out', 'ca.pem', '-subj', '/CN=test authority'];
  await openssl('req', '-x509', ...curve, ...own);
  return {
    folder,
    ca: join(folder, 'ca.pem'),
    async issue({ cert, key, name, usage = 'serverAuth' }) {
      await openssl('req', ...curve, '-keyout', key, '-out', `${cert}.csr`, '-subj', '/CN=test');
      await writeFile(
        join(folder, `${cert}.ext`),
        `subjectAltName=${name}\nextendedKeyUsage=${usage}\nbasicConstraints=CA:FALSE\n` +
          'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n',
      );
      const by = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-extfile', `${cert}.ext`];
      await openssl('x509', '-req', '-in', `${cert}.csr`, '-out', cert, ...by);
      return { cert: join(folder, cert), key: join(folder, key) };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
