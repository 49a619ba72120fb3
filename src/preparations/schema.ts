import { z } from 'zod';

export const preparationStates = ['pending', 'preparing', 'ready', 'failed'] as const;

export const preparationView = z
  .object({
    environment_id: z.string(),
    environment: z.string().meta({ description: 'Its name' }),
    options: z
      .array(z.string())
      .meta({ description: 'The words of the command that parsing depends on, such as --vars' }),
    state: z.enum(preparationStates),
    error_message: z.string().nullable().meta({ description: 'Why it failed, in the words of dbt' }),
    output: z.string().optional().meta({ description: 'The end of what dbt printed; not in lists' }),
    requested_at: z.iso.datetime(),
    finished_at: z.iso.datetime().nullable(),
    dbt_version: z.string().nullable(),
  })
  .meta({
    id: 'Preparation',
    description: 'A deployment with its packages installed and its project parsed, for an environment',
  });
