import { z } from 'zod';

// By their numbers: what reads the OpenAPI document may not know \0, nor \p{Cc}.
const nul = '\\u0000';
const control = `${nul}-\\u001f\\u007f-\\u009f`;
const printed = `[^${control}]`;

const notPlain = 'write plain Unicode text without NUL characters';

/** Text that Postgres can hold: no NUL, no half surrogate pairs. */
export const text = (maxCharacters: number) =>
  z
    .string()
    .max(maxCharacters)
    .regex(new RegExp(`^[^${nul}]*$`), notPlain)
    .refine((value) => value.isWellFormed(), notPlain);

/** A name people read: not empty, one line. */
export const name = text(200).regex(
  new RegExp(`^${printed}*[^\\s${control}]${printed}*$`),
  'write a name of one line that is not empty',
);

/** Ids are opaque: any text is looked up, and what does not exist is not found. */
export const id = text(200).min(1);

/** What a stored secret is shown as, and what keeps it when it is sent back. */
export const hiddenValue = '***';
