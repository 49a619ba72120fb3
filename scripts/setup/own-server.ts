import { readFileSync } from 'node:fs';
import { Agent, fetch } from 'undici';
import type { Config } from '../../src/config.ts';

/** The API that was started from here, as this machine reaches it. */
export interface OwnServer {
  url: string;
  fetch: Fetch;
}

/** As much of `fetch` as is asked of it. */
export type Fetch = (
  url: string,
  init: {
    method?: string;
    headers?: Record<string, string>;
    body?: string | Uint8Array<ArrayBuffer>;
    signal: AbortSignal;
  },
) => Promise<Pick<Response, 'status' | 'ok' | 'text'>>;

/**
 * Over https it is known by its very certificate: that names another host than this address, and its authority may be
 * one that nobody here knows.
 */
export function ownServer(config: Config): OwnServer {
  const { DCTL_PORT, DCTL_PLAIN_PORT, DCTL_TLS_CERT } = config;
  if (DCTL_TLS_CERT === undefined) return { url: `http://127.0.0.1:${DCTL_PORT}`, fetch };
  if (DCTL_PLAIN_PORT !== undefined) return { url: `http://127.0.0.1:${DCTL_PLAIN_PORT}`, fetch };
  const connect = { allowPartialTrustChain: true, checkServerIdentity: () => undefined };
  const dispatcher = new Agent({ connect: { ca: readFileSync(DCTL_TLS_CERT), ...connect } });
  return {
    url: `https://127.0.0.1:${DCTL_PORT}`,
    fetch: (url, init) => fetch(url, { ...init, dispatcher }),
  };
}
