import { z } from 'zod';
import { listOf, pageQuery } from '../paging.ts';
import { projectTypes } from '../commands/project-type.ts';
import { preparationView } from '../preparations/schema.ts';
import { id, name } from '../text.ts';

export const projectParams = z.object({ project_id: id });

export const newProject = z.strictObject({
  name,
  type: z
    .enum(projectTypes, { error: 'write "dbt" or "sqlmesh": what the project is written for' })
    .default('dbt'),
});

export const projectChange = z.strictObject({ name: name.optional() });

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
    is_current: z.boolean().meta({ description: 'Whether runs use it from now on' }),
    pruned_at: z.iso.datetime().nullable().meta({ description: 'Its files were removed then' }),
    preparations: z
      .array(preparationView)
      .meta({ description: 'What it was prepared for, so that its runs begin sooner' }),
  })
  .meta({ id: 'Deployment' });

export const deploymentList = listOf(deploymentView);

export const deploymentParams = z.object({ project_id: id, deployment_id: id });

export const deploymentQuery = pageQuery.extend({
  include_pruned: z
    .enum(['0', '1'], { error: 'write 1 to see those whose files were removed too' })
    .default('0'),
});

export const prune = z.strictObject({
  keep: z
    .int()
    .min(0)
    .max(1_000_000)
    .meta({ description: 'So many of the newest stay. The current one and those that runs use stay too.' }),
});

export const pruned = z.object({ pruned: z.array(deploymentView) });

export const deployed = z
  .object({
    id: z.string(),
    digest: z.string(),
    job_id: z.string().meta({ description: "The project's first job, made by its first deployment" }),
  })
  .meta({ id: 'Deployed' });
