import { request, type Agent, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import type { System } from './system.ts';

export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/**
 * Sends a path exactly as it is written, which fetch would tidy up, and the body in the given pieces: with
 * `Transfer-Encoding: chunked` unless the headers say how long it is.
 */
export function rawRequest(
  system: System,
  method: string,
  path: string,
  options: { headers?: Record<string, string | number>; pieces?: (Buffer | string)[]; agent?: Agent } = {},
): Promise<RawAnswer> {
  const { port, hostname } = new URL(system.url);
  const headers = { authorization: `Bearer ${system.token}`, ...options.headers };
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers, agent: options.agent }, async (answer) => {
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: await text(answer) });
    });
    sent.on('error', reject);
    for (const piece of options.pieces ?? []) sent.write(piece);
    sent.end();
  });
}
