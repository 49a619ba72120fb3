import { z } from 'zod';
import { listOf } from '../paging.ts';
import { id, name } from '../text.ts';
import { email } from '../users/schema.ts';

export const organizationParams = z.object({ organization_id: id });

export const organizationView = z
  .object({
    id: z.string(),
    name: z.string(),
    retention_days: z
      .number()
      .int()
      .nullable()
      .meta({ description: "logs and artifacts of runs are kept so long; null: the server's default" }),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Organization' });

export const organizationList = listOf(organizationView);

export const organizationChange = z.strictObject({
  name: name.optional(),
  retention_days: z
    .number()
    .int('write a whole number of days')
    .min(1, 'write 1 to 3650 days, or null')
    .max(3650, 'write 1 to 3650 days, or null')
    .nullable()
    .optional(),
});

export const newOrganization = z.strictObject({ name, admin_email: email });

export const createdOrganization = organizationView
  .extend({
    admin: z.object({
      id: z.string(),
      email: z.string(),
      is_new: z.boolean(),
      password: z.string().optional().meta({ description: 'made for somebody new: told this once' }),
    }),
  })
  .meta({ id: 'CreatedOrganization' });
