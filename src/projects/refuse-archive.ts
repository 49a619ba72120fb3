import { AppError } from '../errors.ts';

export const notWhole = 'it is not a whole .tar.gz file';

/** `reason`: what is wrong and what to do, as the rest of a sentence. */
export function refuseArchive(reason: string, options: { cause?: unknown } = {}): never {
  throw new AppError('invalid_request', `The archive is refused: ${reason}.`, options);
}

export function refuseLargeArchive(reason: string): never {
  throw new AppError('too_large', `The archive is refused: ${reason}.`);
}
