import { z } from 'zod';

/** The number of an account, a project, an environment, a job or a run. One that Postgres cannot hold is not found. */
export const number = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

export const accountParams = z.object({ account_id: number });

export const account = z
  .object({
    id: z.number().int(),
    name: z.string(),
    state: z.literal(1),
    plan: z.literal('self_hosted'),
    run_slots: z.number().int().meta({ description: 'How many runs a worker executes at a time' }),
    created_at: z.string(),
  })
  .meta({ id: 'DbtCloudAccount' });
