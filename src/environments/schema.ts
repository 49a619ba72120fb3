import { z } from 'zod';
import { listOf } from '../paging.ts';
import { id, text } from '../text.ts';

export const projectParams = z.object({ project_id: id });
export const environmentParams = z.object({ project_id: id, environment_id: id });

/** A network the run's container joins: a Docker network, or none. Never the host's. */
const network = text(64).refine(
  (value) =>
    /^[a-zA-Z0-9][\w.-]*$/.test(value) && !['host', 'container', 'bridge', 'default'].includes(value),
  'write "none" or the name of a Docker network made for runs',
);

export const environmentChange = z.strictObject({
  runner_image: text(300)
    .regex(/^[a-z0-9][\w./:@-]*$/i, 'write an image name such as registry.example.com/dbt:1.11')
    .nullable()
    .optional(),
  memory_mb: z.int().min(64).max(1_048_576).nullable().optional(),
  cpus: z.number().min(0.1).max(512).nullable().optional(),
  network: network.nullable().optional(),
});

export const environmentView = z
  .object({
    id: z.string(),
    project_id: z.string(),
    name: z.string(),
    runner_image: z.string().nullable(),
    memory_mb: z.number().int().nullable(),
    cpus: z.number().nullable(),
    network: z.string().nullable(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Environment', description: "What dbt is run with. null means the server's default." });

export const environmentList = listOf(environmentView);
