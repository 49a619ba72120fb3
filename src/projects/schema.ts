import { z } from 'zod';
import { listOf } from '../paging.ts';
import { id, name, text } from '../text.ts';

export const projectParams = z.object({ project_id: id });
export const environmentParams = z.object({ project_id: id, environment_id: id });

export const newProject = z.strictObject({
  name,
  type: z
    .enum(['dbt'], { error: 'write "dbt": it is the one type of project this server runs' })
    .default('dbt'),
});

export const projectView = z
  .object({
    id: z.string(),
    name: z.string(),
    type: z.string(),
    created_at: z.iso.datetime(),
    jobs: z.array(z.object({ id: z.string(), name: z.string(), command: z.string() })),
  })
  .meta({ id: 'Project' });

export const projectList = listOf(projectView);

export const deploymentView = z
  .object({
    id: z.string(),
    project_id: z.string(),
    digest: z
      .string()
      .meta({ description: 'sha256 of the deployed files, whatever order they were packed in' }),
    size_bytes: z.number().int(),
    file_count: z.number().int(),
    deployed_by: z.string(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Deployment' });

export const deploymentList = listOf(deploymentView);

export const deployed = z
  .object({
    id: z.string(),
    digest: z.string(),
    job_id: z.string().meta({ description: "The project's first job, made by its first deployment" }),
  })
  .meta({ id: 'Deployed' });

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
