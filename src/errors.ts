/** Every refusal dctl can give, with the HTTP status and title it is answered with. */
const refusals = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  invalid_command: { status: 400, title: 'The command is not allowed' },
  unauthenticated: { status: 401, title: 'A valid API token or session is required' },
  forbidden: { status: 403, title: 'The caller may not do this' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  conflict: { status: 409, title: 'Conflict' },
  gone: { status: 410, title: 'No longer kept' },
  too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported content type' },
  key_reused: { status: 422, title: 'The idempotency key belongs to another request' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  unavailable: { status: 503, title: 'Temporarily unavailable' },
} as const;

export type ErrorCode = keyof typeof refusals;

/** One field that is wrong. `pointer` is a JSON pointer into the body, or `query.x`, `path.x`, `header.x`. */
export interface FieldProblem {
  pointer: string;
  detail: string;
  /** Zero-based character offset within the field's text, where one is known. */
  position?: number;
}

/**
 * A refusal whose sentence may be shown to the caller as it stands. Never put environment values, secrets or
 * container output into `detail`.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly problems: FieldProblem[];
  readonly retryAfterSeconds: number | undefined;
  /** Of the answer. */
  readonly headers: Record<string, string>;

  constructor(
    code: ErrorCode,
    detail: string,
    options: {
      problems?: FieldProblem[];
      retryAfterSeconds?: number;
      headers?: Record<string, string>;
      cause?: unknown;
    } = {},
  ) {
    super(detail, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.problems = options.problems ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return refusals[this.code].status;
  }

  get title(): string {
    return refusals[this.code].title;
  }
}

/** A refusal of one field of the request. `pointer` as in `FieldProblem`; `detail` says what to write instead. */
export function invalidField(pointer: string, detail: string): AppError {
  return new AppError('invalid_request', detail, { problems: [{ pointer, detail }] });
}

/** Of a place in the body (RFC 6901). */
export function jsonPointer(path: PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
