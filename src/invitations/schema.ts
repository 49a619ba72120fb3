import { z } from 'zod';
import { roles } from '../scopes.ts';
import { listOf } from '../paging.ts';
import { id, text } from '../text.ts';
import { email } from '../users/schema.ts';

export const invitationParams = z.object({ invitation_id: id });

const role = z.enum(roles);
const token = text(200).meta({ description: 'What the link ends in, behind the #' });

export const newInvitation = z.strictObject({
  email,
  role: role.meta({ description: 'viewer reads, operator triggers too, admin does everything' }),
});

export const invitationView = z
  .object({
    id: z.string(),
    email: z
      .string()
      .nullable()
      .meta({ description: "null: whoever comes says theirs; that is the first start's invitation" }),
    role,
    created_by: z.string().meta({ description: 'The name of whoever made it' }),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
  })
  .meta({ id: 'Invitation' });

export const invitationList = listOf(invitationView);

export const madeInvitation = invitationView
  .extend({
    url: z.string().meta({ description: 'The link to send: told this once, and good for one person' }),
  })
  .meta({ id: 'MadeInvitation' });

export const invitationToLookUp = z.strictObject({ token });

export const shownInvitation = z
  .object({
    organization_name: z.string(),
    email: z.string().nullable().meta({ description: 'null: you say yours' }),
    role,
    has_account: z
      .boolean()
      .meta({ description: 'true: the server knows the e-mail address, and its password is asked for' }),
    expires_at: z.iso.datetime(),
  })
  .meta({ id: 'ShownInvitation' });

export const acceptance = z.strictObject({
  token,
  email: email.optional().meta({ description: 'For an invitation that names none' }),
  password: text(200).meta({
    description: 'The one you want, of 12 characters or more; the one you have, where the server knows you',
  }),
});
