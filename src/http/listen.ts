import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
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

/** A port cannot be served at; the message says why, and which setting to change. */
export class NoPort extends Error {}

type PortSetting = 'DCTL_PORT' | 'DCTL_PLAIN_PORT';

async function listenAt(server: Server, setting: PortSetting, config: Config): Promise<void> {
  const listening = once(server, 'listening');
  server.listen(config[setting], config.DCTL_HOST);
  await listening.catch((error: NodeJS.ErrnoException) => {
    const problem = portProblem(error.code, setting, config);
    throw problem === null ? error : new NoPort(problem, { cause: error });
  });
}

/** Null for what the settings have no part in. */
export function portProblem(
  code: string | undefined,
  setting: PortSetting,
  config: Pick<Config, PortSetting | 'DCTL_HOST'>,
): string | null {
  const { [setting]: port, DCTL_HOST: host } = config;
  switch (code) {
    case 'EADDRINUSE':
      return `${setting}: port ${port} of ${host} is taken by another process. Stop that, or choose another port.`;
    case 'EACCES':
      return `${setting}: port ${port} of ${host} is not for this user. Choose one from 1024 on, or allow it.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `DCTL_HOST: ${host} is no address of this machine, so port ${port} (${setting}) can't be served there.`;
    default:
      return null;
  }
}
