import type { Request } from 'express';
import { AppError, invalidField, jsonPointer } from '../errors.ts';

/**
 * The body of a request. No body and an empty body are the same as `{}`, whatever the content type says. `anyType`: so is
 * JSON.
 */
export function readJson(request: Request, anyType: boolean): unknown {
  const bytes: unknown = request.body;
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) return {};
  if (!anyType && request.is(['json', '+json']) === false) {
    throw new AppError(
      'unsupported_media_type',
      'Send the body as JSON, with Content-Type: application/json.',
    );
  }
  const text = textOf(bytes);
  const value = parsed(text);
  if (/__proto__|\\u005f/i.test(text)) refuseProto(value);
  return value;
}

/** Refuses what is not UTF-8. */
export function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw notJson(error);
  }
}

/** Refuses what is not JSON. */
export function parsed(text: string, parse: (text: string) => unknown = JSON.parse): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw notJson(error);
  }
}

function notJson(cause: unknown): AppError {
  return new AppError('invalid_request', 'The body is not valid JSON in UTF-8.', { cause });
}

/** Whoever copies an object drops a field of this name without a word, or has it change what the copy is. */
function refuseProto(body: unknown): void {
  const toLookAt: { value: unknown; path: string[] }[] = [{ value: body, path: [] }];
  for (const { value, path } of toLookAt) {
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, inner] of Object.entries(value)) {
      const pointer = [...path, name];
      if (name === '__proto__')
        throw invalidField(
          jsonPointer(pointer),
          `${jsonPointer(pointer)}: no field has this name: leave it out.`,
        );
      toLookAt.push({ value: inner, path: pointer });
    }
  }
}
