import { places, type Operations } from './operations.ts';

type Name = keyof Operations;
export type Answer<Of extends Name> = Operations[Of]['answer'];
/** What an operation is asked with: the parts of its path, its query, its body; only those that it has. */
export type Asked<Of extends Name> = Omit<Operations[Of], 'answer'>;
type Rest<Of extends Name> =
  object extends Asked<Of>
    ? [asked?: Asked<Of>, options?: CallOptions]
    : [asked: Asked<Of>, options?: CallOptions];

/** The operations that answer a list, page by page. */
type ListName = {
  [Each in Name]: Answer<Each> extends { data: unknown[]; next_cursor: string | null } ? Each : never;
}[Name];
type ItemOf<Of extends ListName> = Answer<Of>['data'][number];

export interface CallOptions {
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

export interface ClientSettings {
  /** Of the server, such as https://dctl.example.com. Left out in a browser: the page's own. */
  url?: string;
  /** An API token. Left out in a browser: the session of whoever is signed in. */
  token?: string;
  /** For users of several organizations. */
  organizationId?: string;
  fetch?: typeof fetch;
}

/** A field that is wrong, as the server names it. */
export interface FieldProblem {
  pointer: string;
  detail: string;
  position?: number;
}

/** A refusal of the server. The message is its sentence, for people. */
export class DctlError extends Error {
  readonly status: number;
  /** What kind of refusal it is, such as `not_found`: the end of the problem's `type`. */
  readonly code: string;
  readonly problems: FieldProblem[];
  /** Seconds after which to ask again, where the server says so. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    problem: { type?: string; detail?: string; errors?: FieldProblem[] },
    retryAfter?: number,
  ) {
    super(problem.detail ?? `The server answered ${status}.`);
    this.name = 'DctlError';
    this.status = status;
    this.code = problem.type?.split(':').at(-1) ?? 'unknown';
    this.problems = problem.errors ?? [];
    this.retryAfter = retryAfter;
  }
}

/** The API of a dctl server, each operation by its name in the OpenAPI document. */
export class DctlClient {
  readonly #settings: ClientSettings;

  constructor(settings: ClientSettings = {}) {
    this.#settings = settings;
  }

  /** Answers the parsed JSON, or null where there is none. Throws a DctlError for every refusal. */
  async call<Of extends Name>(name: Of, ...[asked, options]: Rest<Of>): Promise<Answer<Of>> {
    const response = await this.#send(name, asked ?? {}, options);
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return (isJson ? await response.json() : (await response.text()) || null) as Answer<Of>;
  }

  /** Every item of a list, asking for one page after the other as they are needed. */
  async *items<Of extends ListName>(
    name: Of,
    ...[asked, options]: Rest<Of>
  ): AsyncGenerator<ItemOf<Of>, void> {
    const call = this.call.bind(this) as (
      name: Of,
      asked: unknown,
      options?: CallOptions,
    ) => Promise<{ data: ItemOf<Of>[]; next_cursor: string | null }>;
    const { query } = (asked ?? {}) as { query?: object };
    for (let cursor: string | null = null; ;) {
      const page = cursor === null ? query : { ...query, cursor };
      const { data, next_cursor: next } = await call(name, { ...asked, query: page }, options);
      yield* data;
      if (next === null) return;
      cursor = next;
    }
  }

  /** The answer as it comes: a log that is followed, a file. Throws a DctlError for every refusal. */
  open<Of extends Name>(name: Of, ...[asked, options]: Rest<Of>): Promise<Response> {
    return this.#send(name, asked ?? {}, options);
  }

  /** Sends a file in place of JSON. `bytes`: the whole of it. */
  async upload<Of extends Name>(
    name: Of,
    asked: Asked<Of>,
    { type, bytes, ...options }: CallOptions & { type: string; bytes: Uint8Array<ArrayBuffer> },
  ): Promise<Answer<Of>> {
    const headers = { ...options.headers, 'content-type': type };
    const response = await this.#send(name, asked, { ...options, headers }, bytes);
    return (await response.json()) as Answer<Of>;
  }

  async #send(
    name: Name,
    asked: { path?: unknown; query?: unknown; body?: unknown },
    { signal, headers = {} }: CallOptions = {},
    bytes?: Uint8Array<ArrayBuffer>,
  ): Promise<Response> {
    const { url = '', token, organizationId, fetch: given = fetch } = this.#settings;
    const [method = 'GET', path = '/'] = places[name].split(' ');
    const body = bytes ?? (asked.body === undefined ? undefined : JSON.stringify(asked.body));
    const response = await given(url.replace(/\/$/, '') + filled(path, asked.path) + queryOf(asked.query), {
      method,
      headers: {
        accept: 'application/json, */*;q=0.5',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(organizationId === undefined ? {} : { 'x-organization-id': organizationId }),
        ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as ConstructorParameters<typeof DctlError>[1];
    const retryAfter = Number(response.headers.get('retry-after') ?? NaN);
    throw new DctlError(response.status, problem, Number.isNaN(retryAfter) ? undefined : retryAfter);
  }
}

/** Every item of a list, page by page. */
export async function* itemsOf<Item>(
  page: (cursor: string | undefined) => Promise<{ data: Item[]; next_cursor: string | null }>,
): AsyncGenerator<Item> {
  for (let cursor: string | undefined; ;) {
    const { data, next_cursor: next } = await page(cursor);
    yield* data;
    if (next === null) return;
    cursor = next;
  }
}

function filled(path: string, values: unknown): string {
  return path.replace(/\{(\w+)\}/g, (_all, name: string) =>
    String((values as Record<string, unknown>)[name])
      .split(name === 'path' ? '/' : /$^/)
      .map(encodeURIComponent)
      .join('/'),
  );
}

function queryOf(query: unknown): string {
  const given = Object.entries((query ?? {}) as Record<string, unknown>).filter(
    ([, value]) => value !== undefined,
  );
  if (given.length === 0) return '';
  const pairs = given.map(([name, value]): [string, string] => [name, String(value)]);
  return `?${new URLSearchParams(pairs).toString()}`;
}
