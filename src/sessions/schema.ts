import { z } from 'zod';
import { roles } from '../scopes.ts';
import { text } from '../text.ts';
import { email, password } from '../users/schema.ts';

export const credentials = z.strictObject({ email, password: text(200) });

export const passwordChange = z.strictObject({ current_password: text(200), new_password: password });

export const sessionView = z
  .object({
    user: z.object({
      id: z.string(),
      email: z.string(),
      is_server_admin: z.boolean().meta({ description: 'may make further organizations' }),
    }),
    organizations: z.array(z.object({ id: z.string(), name: z.string(), role: z.enum(roles) })),
    expires_at: z.iso.datetime(),
  })
  .meta({ id: 'Session' });
