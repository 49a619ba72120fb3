import { z } from 'zod';
import { roles } from '../scopes.ts';
import { text } from '../text.ts';
import { email, password } from '../users/schema.ts';

export const credentials = z.strictObject({ email, password: text(200) });

export const passwordChange = z.strictObject({ current_password: text(200), new_password: password });

export const signInWays = z
  .object({
    password: z.literal(true),
    open_id: z
      .object({
        name: z.string().meta({ description: "The provider's host", example: 'accounts.example.com' }),
        begin_url: z
          .string()
          .meta({ description: 'Where to send the browser; ?to= says where it goes then' }),
      })
      .nullable(),
  })
  .meta({ id: 'SignInWays' });

const consolePath = /^\/console(\/[\w~%.:@!$'()*+,;=?&/-]*)?$/;

export const openIdQuery = z.object({
  to: text(2_000)
    .regex(consolePath, 'write a path that begins with /console/')
    .default('/console/')
    .meta({ description: 'Where in the console to go then' }),
});

/** What providers send back: `code` and `state`, or `error`, and things of their own. */
export const openIdCallbackQuery = z.looseObject({
  state: z.string().optional(),
  code: z.string().optional(),
  error: z.string().optional(),
});

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
