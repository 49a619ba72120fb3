import { z } from 'zod';
import { listOf, pageQuery } from '../paging.ts';
import { text } from '../text.ts';

export const auditQuery = pageQuery.extend({
  action: text(100).optional().meta({ description: 'only this one, such as job.changed' }),
  subject_id: text(200).optional().meta({ description: 'only what was done to the thing with this id' }),
  address: text(100).optional().meta({ description: 'only what was asked for from this address' }),
});

export const auditEventView = z
  .object({
    id: z.string(),
    created_at: z.iso.datetime(),
    actor: z.object({
      kind: z.enum(['token', 'user', 'system']),
      id: z.string().nullable(),
      name: z.string().meta({ description: "the token's name, the user's e-mail address" }),
    }),
    action: z.string().meta({ example: 'job.changed' }),
    subject: z.object({ kind: z.string(), id: z.string() }),
    address: z.string().nullable().meta({
      description:
        'where it was asked from; null for what was done in a shell on the server, or by dctl itself',
    }),
    details: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'AuditEvent' });

export const auditList = listOf(auditEventView);
