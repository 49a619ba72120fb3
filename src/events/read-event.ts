import { AppError } from '../errors.ts';
import { fieldAt } from '../conditions.ts';
import { parsed, textOf } from '../http/read-json.ts';
import type { AuthStyle } from './schema.ts';
import type { Signed } from './verify.ts';

export const maxEventBytes = 256 * 1_024;
const maxDepth = 32;

/** An event as its rules look at it, and as it is kept. */
export interface ReadEvent {
  body: string;
  data: Record<string, unknown>;
}

export function readEvent(bytes: Buffer): ReadEvent {
  const body = textOf(bytes);
  if (depthOf(body) > maxDepth) {
    throw new AppError('invalid_request', `An event has at most ${maxDepth} levels of objects and lists.`);
  }
  const data = parsed(body, parseEvent);
  if (typeof data === 'object' && data !== null && !Array.isArray(data))
    return { body, data: data as Record<string, unknown> };
  throw new AppError('invalid_request', 'An event is a JSON object: {"id": ..., ...}.');
}

/** Of a stored one. Whole numbers that lose digits as a number are texts. */
export function parseEvent(body: string): unknown {
  const keepDigits = (_key: string, value: unknown, { source }: { source: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? source : value;
  return JSON.parse(body, keepDigits as Parameters<typeof JSON.parse>[1]);
}

/** What the sender knows the event by. Null: it has none, so this one is like no other. */
export function externalIdOf(
  { auth, idField }: { auth: AuthStyle; idField: string | null },
  header: Signed['header'],
  data: Record<string, unknown>,
): string | null {
  const found = [idField === null ? undefined : fieldAt(data, idField), ...usualIds(auth, header, data)]
    .filter((each) => typeof each === 'string' || typeof each === 'number')
    .map(String)
    .find((each) => each !== '');
  if (found === undefined) return null;
  if (found.length <= 500 && found.isWellFormed() && !found.includes('\0')) return found;
  throw new AppError('invalid_request', "The event's id has to be of at most 500 characters.");
}

function usualIds(auth: AuthStyle, header: Signed['header'], data: Record<string, unknown>): unknown[] {
  const given = [header('webhook-id'), header('idempotency-key')];
  switch (auth) {
    case 'token':
      return [...given, fieldAt(data, 'event_id'), fieldAt(data, 'id')];
    case 'standard_webhooks':
      return given;
    case 'github':
      return [header('x-github-delivery')];
    case 'stripe':
      return [fieldAt(data, 'id')];
  }
}

/** Looked at before it is parsed, which goes as deep as the text does. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let isInText = false;
  for (let place = 0; place < json.length; place += 1) {
    const character = json[place];
    if (isInText && character === '\\') place += 1;
    else if (character === '"') isInText = !isInText;
    else if (isInText) continue;
    else if (character === '[' || character === '{') deepest = Math.max(deepest, (depth += 1));
    else if (character === ']' || character === '}') depth -= 1;
  }
  return deepest;
}
