import { z } from 'zod';
import { listOf } from '../paging.ts';
import { id, name } from '../text.ts';

export const projectParams = z.object({ project_id: id });

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
    deployment: z
      .object({ id: z.string(), since: z.iso.datetime(), by: z.string() })
      .nullable()
      .meta({ description: 'What runs use from now on: since when, and who chose it' }),
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
