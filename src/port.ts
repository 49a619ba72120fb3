import { once } from 'node:events';
import type { Server } from 'node:net';
import type { Config } from './config.ts';

/** A port cannot be served at; the message says why, and which setting to change. */
export class NoPort extends Error {}

type PortSetting = 'DCTL_PORT' | 'DCTL_PLAIN_PORT' | 'DCTL_WORKER_PORT';

/** Throws `NoPort`. */
export async function listenAt(server: Server, setting: PortSetting, config: Config): Promise<void> {
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
