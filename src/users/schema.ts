import { z } from 'zod';
import { roles } from '../scopes.ts';
import { listOf } from '../paging.ts';
import { id, text } from '../text.ts';

export const userParams = z.object({ user_id: id });

/**
 * Compared without regard to upper and lower case: kept in lower case, but judged as it is written, for letters of other
 * alphabets have lower cases in this one.
 */
export const email = text(254)
  .trim()
  .refine((value) => z.email().safeParse(value).success, 'write an e-mail address, such as ada@example.com')
  .toLowerCase()
  .meta({ pattern: z.regexes.email.source });

export const password = text(200).min(12, 'write at least 12 characters');

const role = z
  .enum(roles)
  .meta({ description: 'viewer reads, operator triggers too, admin does everything' });

export const newUser = z.strictObject({
  email,
  role,
  password: password
    .optional()
    .meta({ description: 'for somebody new to the server; without it one is made and told in the answer' }),
});

export const userChange = z.strictObject({ role });

export const userView = z
  .object({
    id: z.string(),
    email: z.string(),
    role,
    added_at: z.iso.datetime(),
  })
  .meta({ id: 'User' });

export const userList = listOf(userView);

export const addedUser = userView
  .extend({
    is_new: z
      .boolean()
      .meta({ description: 'false: known to the server before, with a password of their own' }),
    password: z
      .string()
      .optional()
      .meta({ description: 'made for somebody new: told this once, and stored as a hash' }),
  })
  .meta({ id: 'AddedUser' });
