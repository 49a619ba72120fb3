/** What is wrong with one header a user asked for. `detail` is a sentence that says what to change. */
export interface HeaderProblem {
  name: string;
  detail: string;
}

const maxHeaders = 20;
const maxNameLength = 100;
const maxValueBytes = 4096;

/** Headers that frame the request or say who it is from. A user's value could forge either. */
const reserved = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'upgrade',
  'expect',
]);
const reservedPrefixes = ['proxy-', 'x-dagctl-', 'webhook-'];

/** RFC 9110 `token`. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const visibleAscii = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * Everything that keeps these headers from being sent; empty when they may be. Checked when saved and when sent.
 * `mayBe`: names that may be given all the same, in lower case.
 */
export function webhookHeaderProblems(
  headers: Record<string, string>,
  { mayBe = [] }: { mayBe?: readonly string[] } = {},
): HeaderProblem[] {
  const names = Object.keys(headers);
  if (names.length > maxHeaders) {
    return [{ name: '', detail: `There are ${names.length} headers: keep at most ${maxHeaders}.` }];
  }

  const seen = new Set<string>();
  return Object.entries(headers).flatMap(([name, value]) => {
    const detail = nameProblem(name, seen, mayBe) ?? valueProblem(value);
    seen.add(name.toLowerCase());
    return detail === null ? [] : [{ name, detail }];
  });
}

/**
 * The headers of a hook's request: the user's, and beside them the delivery's id, so that a receiver may tell a try from
 * the next request. Their own Idempotency-Key stands.
 */
export function headersOfHook(
  user: Record<string, string>,
  deliveryId: string,
  hasBody: boolean,
): Record<string, string> {
  const given = new Set(Object.keys(user).map((name) => name.toLowerCase()));
  const unlessGiven = {
    'User-Agent': 'dctl',
    'Idempotency-Key': deliveryId,
    ...(hasBody ? { 'Content-Type': 'application/json' } : {}),
  };
  const added = Object.entries(unlessGiven).filter(([name]) => !given.has(name.toLowerCase()));
  return { ...user, ...Object.fromEntries(added), 'webhook-id': deliveryId };
}

/**
 * The headers of the request: ours (the signature, a token fetched for the receiver), and those of the user's that
 * do not touch them in whatever case, so that a receiver finds each of ours exactly once.
 */
export function mergeHeaders(
  user: Record<string, string>,
  ours: Record<string, string>,
): Record<string, string> {
  const taken = new Set(Object.keys(ours).map((name) => name.toLowerCase()));
  const kept = Object.entries(user).filter(([name]) => !isReserved(name) && !taken.has(name.toLowerCase()));
  const agent = kept.some(([name]) => name.toLowerCase() === 'user-agent') ? {} : { 'User-Agent': 'dctl' };
  return { ...agent, ...Object.fromEntries(kept), 'Content-Type': 'application/json', ...ours };
}

function nameProblem(name: string, seen: ReadonlySet<string>, mayBe: readonly string[]): string | null {
  if (!token.test(name)) return 'Write the name with letters, digits and hyphens only.';
  if (name.length > maxNameLength) return `Shorten the name to at most ${maxNameLength} characters.`;
  if (isReserved(name) && !mayBe.includes(name.toLowerCase()))
    return 'Remove this header: it belongs to the delivery itself.';
  if (seen.has(name.toLowerCase()))
    return 'Remove one of the two: header names differ by more than upper and lower case.';
  return null;
}

function valueProblem(value: string): string | null {
  if (Buffer.byteLength(value) > maxValueBytes) return `Shorten the value to at most ${maxValueBytes} bytes.`;
  if (visibleAscii.test(value)) return null;
  return 'Write the value in visible ASCII characters: no line breaks, no spaces around it, not empty.';
}

function isReserved(name: string): boolean {
  const lower = name.toLowerCase();
  return reserved.has(lower) || reservedPrefixes.some((prefix) => lower.startsWith(prefix));
}
