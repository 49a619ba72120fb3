import { z } from 'zod';
import { scopes } from '../scopes.ts';
import { listOf, pageQuery } from '../paging.ts';
import { id, name } from '../text.ts';

export const tokenParams = z.object({ token_id: id });
export const tokensQuery = pageQuery.extend({
  include_revoked: z
    .enum(['0', '1'])
    .default('0')
    .meta({ description: '1: those that are revoked or expired too' }),
});

const scope = z.enum(scopes).meta({ description: 'read < trigger < admin' });

export const newToken = z.strictObject({
  name,
  scope,
  expires_at: z.iso
    .datetime({ offset: true, error: 'write a time such as 2027-01-31T00:00:00Z' })
    .nullable()
    .optional()
    .meta({ description: 'in the future; without it the token is good until it is revoked' }),
});

export const tokenView = z
  .object({
    id: z.string(),
    name: z.string(),
    scope,
    prefix: z.string().meta({ description: 'how the token begins' }),
    last_four: z.string().meta({ description: 'how it ends' }),
    created_by: z.string().nullable(),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime().nullable(),
    last_used_at: z.iso.datetime().nullable().meta({ description: 'to the minute' }),
    revoked_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Token' });

export const tokenList = listOf(tokenView);

export const createdToken = tokenView
  .extend({ token: z.string().meta({ description: 'its text: told this once, and stored nowhere' }) })
  .meta({ id: 'CreatedToken' });
