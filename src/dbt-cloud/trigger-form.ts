import { z } from 'zod';
import { jobChange } from '../jobs/schema.ts';
import type { RunOverrides } from '../runs/schema.ts';
import { noTarget } from './job-view.ts';

/** Longer causes are cut: they are for people. */
const maxCause = 1_000;

const never = (detail: string) => z.null({ error: detail }).optional();
const noGit =
  'A run executes the code that was deployed last: deploy that commit (POST /api/v1/projects/{project_id}/deployments), trigger the job, and leave this out.';
const noPullRequest = 'There are no runs for pull requests here: trigger a job of its own for them instead.';

const whole = (least: number, most: number) => {
  const detail = `write a whole number from ${least} to ${most}`;
  const within = z.int({ error: detail }).min(least, detail).max(most, detail);
  return z.union(
    [
      within,
      z
        .string()
        .regex(/^\d{1,9}$/, detail)
        .transform(Number)
        .pipe(within),
    ],
    {
      error: detail,
    },
  );
};

/** What clients send with a trigger. Null, like everywhere, is the same as left out. */
export const triggerForm = z
  .object({
    /** Some clients say here as well what the address says. */
    account_id: z.int().nullish(),
    job_id: z.int().nullish(),
    cause: z
      .string()
      .refine((text) => !text.includes('\0') && text.isWellFormed(), 'write plain Unicode text')
      .transform((text) => text.slice(0, maxCause).replace(/[\uD800-\uDBFF]$/, ''))
      .nullish(),
    steps_override: z
      .array(z.string())
      .min(1, "name at least one command, or leave steps_override out for the job's own")
      .max(20, 'name at most 20 commands')
      .nullish(),
    schema_override: z
      .string()
      .min(1, 'write the name of a schema, or leave schema_override out')
      .max(255)
      .nullish(),
    target_name_override: jobChange.shape.target.nullish(),
    threads_override: whole(1, 128).nullish(),
    timeout_seconds_override: whole(1, 604_800).nullish(),
    generate_docs_override: z.boolean().nullish(),
    dbt_version_override: z
      .string()
      .nullish()
      .meta({ description: "No other version than the environment's, which its runner image says" }),
    git_sha: never(noGit),
    git_branch: never(noGit),
    azure_pull_request_id: never(noPullRequest),
    github_pull_request_id: never(noPullRequest),
    gitlab_merge_request_id: never(noPullRequest),
    non_native_pull_request_id: never(noPullRequest),
  })
  .catchall(z.null({ error: 'is not known here, so it would be of no effect: leave it out' }))
  .nullable()
  .meta({ id: 'DbtCloudTrigger' });

/** A rerun or a retry takes over what the run before was asked for. */
export const nothingMore = z
  .object({})
  .catchall(z.null({ error: 'is of no effect here: trigger the job (POST .../jobs/{id}/run) to give it' }))
  .nullable()
  .meta({ id: 'DbtCloudNothing' });

export type TriggerForm = z.output<typeof triggerForm>;

export function overridesOf(form: TriggerForm): RunOverrides {
  const target = form?.target_name_override ?? null;
  return {
    steps: form?.steps_override ?? null,
    schema: form?.schema_override ?? null,
    target: target === noTarget ? null : target,
    threads: form?.threads_override ?? null,
    timeoutSeconds: form?.timeout_seconds_override ?? null,
    generateDocs: form?.generate_docs_override ?? null,
  };
}
