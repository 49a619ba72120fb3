import type { Fetch } from './own-server.ts';

export interface ApiClient {
  /** Calls the public API and answers its JSON. Throws the problem's own sentence for anything but a 2xx. */
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Sends a `.tar.gz`. */
  upload<T>(path: string, archive: Buffer): Promise<T>;
}

export interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

export function openApiClient(options: {
  url: string;
  token: string;
  organizationId: string;
  fetch?: Fetch;
}): ApiClient {
  const ask: Fetch = options.fetch ?? fetch;
  const headers = { authorization: `Bearer ${options.token}`, 'x-organization-id': options.organizationId };

  async function send<T>(
    method: string,
    path: string,
    type: string,
    body?: string | Uint8Array<ArrayBuffer>,
  ): Promise<T> {
    const response = await ask(options.url + path, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': type },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    if (response.status === 401)
      throw new Error('The token in .dctl/env is refused: delete that file and start again for a new one.');
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${detailOf(text)}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }

  return {
    call: (method, path, body) =>
      send(method, path, 'application/json', body === undefined ? undefined : JSON.stringify(body)),
    upload: (path, archive) => send('POST', path, 'application/gzip', new Uint8Array(archive)),
  };
}

/** The sentence inside a problem+json answer, or the start of whatever else came. */
function detailOf(text: string): string {
  try {
    const problem = JSON.parse(text) as { detail?: string; title?: string };
    return problem.detail ?? problem.title ?? text;
  } catch {
    return text.slice(0, 300);
  }
}
