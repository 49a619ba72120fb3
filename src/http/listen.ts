import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { listenAt } from '../port.ts';
import { watchCertificate, type Certificate } from './certificate.ts';

/** Older ones are broken. */
const minVersion = 'TLSv1.2';

export interface Listening {
  /** Where DCTL_PORT led to. */
  address: AddressInfo;
  /** Of the two, the one without TLS; undefined where there is none beside it. */
  plain: AddressInfo | undefined;
  /** Takes no more connections; resolves when those there were have ended. */
  close(): Promise<void>;
  closeAllConnections(): void;
}

/** Serves at DCTL_PORT, over https where there is a certificate, and then without it at DCTL_PLAIN_PORT if that is set. */
export async function listen(
  { config, log }: { config: Config; log: Log },
  serve: RequestListener,
  certificate: Certificate | undefined,
): Promise<Listening> {
  const main =
    certificate === undefined
      ? createServer(serve)
      : createTlsServer({ cert: certificate.cert, key: certificate.key, minVersion }, serve);
  const plain = config.DCTL_PLAIN_PORT === undefined ? undefined : createServer(serve);
  const servers = plain === undefined ? [main] : [main, plain];
  for (const server of servers) {
    // A large deployment over a slow line takes its time; a client that pools connections meets none that just closed.
    server.requestTimeout = 30 * 60_000;
    server.keepAliveTimeout = 65_000;
  }
  // Connections that are open keep what they were opened with.
  const watch =
    certificate !== undefined && 'setSecureContext' in main
      ? watchCertificate({ config, log }, certificate, ({ cert, key }) =>
          main.setSecureContext({ cert, key, minVersion }),
        )
      : undefined;

  await Promise.all([
    listenAt(main, 'DCTL_PORT', config),
    ...(plain === undefined ? [] : [listenAt(plain, 'DCTL_PLAIN_PORT', config)]),
  ]);
  return {
    address: main.address() as AddressInfo,
    plain: plain?.address() as AddressInfo | undefined,
    async close() {
      watch?.close();
      const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      for (const server of servers) server.closeIdleConnections();
      await Promise.all(closed);
    },
    closeAllConnections: () => servers.forEach((server) => server.closeAllConnections()),
  };
}
