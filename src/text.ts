import { z } from 'zod';

/** Text that Postgres can hold: no NUL, no half surrogate pairs. */
export const text = (maxCharacters: number) =>
  z
    .string()
    .max(maxCharacters)
    .refine(
      (value) => !value.includes('\0') && value.isWellFormed(),
      'write plain Unicode text without NUL characters',
    );

/** A name people read: not empty, one line. */
export const name = text(200).refine(
  (value) => value.trim() !== '' && !/\p{Cc}/u.test(value),
  'write a name of one line that is not empty',
);

/** Ids are opaque: any text is looked up, and what does not exist is not found. */
export const id = text(200).min(1);

/** What a stored secret is shown as, and what keeps it when it is sent back. */
export const hiddenValue = '***';
