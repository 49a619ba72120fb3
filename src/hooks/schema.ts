import { z } from 'zod';
import { conditions, judgedCondition } from '../conditions.ts';
import { listOf } from '../paging.ts';
import { id, text } from '../text.ts';
import { webhookAuth } from '../webhooks/schema.ts';

const maxBodyDepth = 20;
const maxBodyLength = 65_536;

/** As it stands in `${{variables.name}}`. */
const valueName = text(100).regex(/^[A-Za-z_][\w-]*$/, {
  error: 'write a name of letters, digits, _ and -, beginning with a letter or _',
});
const valueText = text(10_000);
const time = z.iso.datetime().meta({ example: '2026-04-02T12:00:00Z' });

export const newVariable = z.strictObject({
  name: valueName.meta({ description: 'Templates say ${{variables.name}}', example: 'dbt_account_id' }),
  value: valueText.meta({ description: 'Anybody in the organization may read it', example: '12345' }),
});
export const variableChange = newVariable.partial();
export const variableView = z
  .object({ id: z.string(), name: z.string(), value: z.string(), created_at: time, updated_at: time })
  .meta({ id: 'Variable' });
export const variableList = listOf(variableView);
export const variableParams = z.object({ variable_id: id });

export const newSecret = z.strictObject({
  name: valueName.meta({ description: 'Templates say ${{secrets.name}}', example: 'dbt_personal_token' }),
  value: valueText.min(1).meta({ description: 'Never readable again' }),
});
export const secretChange = newSecret.partial();
export const secretView = z
  .object({ id: z.string(), name: z.string(), created_at: time, updated_at: time })
  .meta({ id: 'OrchestrationSecret' });
export const secretList = listOf(secretView);
export const secretParams = z.object({ secret_id: id });

export const hookMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

const description = text(1_000);
const isActive = z.boolean().meta({ description: 'Whether it is sent' });
const method = z.enum(hookMethods, { error: `write one of ${hookMethods.join(', ')}` });
const url = text(4_000).min(1).meta({
  description:
    'A template, as header and body are: ${{variables.name}}, ${{secrets.name}}, ${{run.NAME}}. Values of a run are percent-encoded; in the host they may not stand',
  example: 'https://cloud.getdbt.com/api/v2/accounts/${{variables.dbt_account_id}}/jobs/54321/run/',
});
const header = z.record(z.string(), text(4_000)).meta({
  description:
    'Sent along. Shown as ***, which sent back keeps it, unless nothing of the value can be a secret: write credentials as ${{secrets.name}}',
});
const body = z
  .union([z.record(z.string(), z.unknown()), z.array(z.unknown())], {
    error: 'write an object, a list, or null',
  })
  .refine((given) => depthOf(given) <= maxBodyDepth, {
    error: `nest at most ${maxBodyDepth} objects and lists in each other`,
    abort: true,
  })
  .refine((given) => JSON.stringify(given).length <= maxBodyLength, 'shorten the body to at most 64 KiB')
  .nullable()
  .meta({ description: 'Sent as JSON. null: none, as always with GET and DELETE' });
const rules = conditions.meta({
  description: 'All of them hold, or nothing is sent. variable_name is a name of ${{run.NAME}}',
});
const jobs = z
  .array(id)
  .max(1_000)
  .meta({ description: 'Ids of the jobs whose runs it follows. Empty: all of the organization' });
const auth = webhookAuth
  .nullable()
  .meta({ description: 'How to sign in to an Airflow 3, as with webhooks of jobs; null: not at all' });

export const newHook = z.strictObject({
  description: description.default(''),
  is_active: isActive.default(true),
  method: method.default('POST'),
  url,
  header: header.default({}),
  body: body.default(null),
  auth: auth.default(null),
  rules: rules.default([]),
  jobs: jobs.default([]),
});
/** What is left out stays as it is. */
export const hookChange = z
  .strictObject({ description, is_active: isActive, method, url, header, body, auth, rules, jobs })
  .partial();
export const hookView = z
  .object({
    id: z.string(),
    description: z.string(),
    is_active: z.boolean(),
    method: z.enum(hookMethods),
    url: z.string(),
    header: z.record(z.string(), z.string()),
    body: z.unknown().meta({ description: 'null: none is sent' }),
    auth,
    rules: conditions,
    jobs: z.array(z.string()),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Hook' });
export const hookList = listOf(hookView);
export const hookParams = z.object({ hook_id: id });

export const hookToTryOut = z.strictObject({ hook: newHook, run_id: id });
export const runToTryOut = z.strictObject({ run_id: id });
export const hookPreview = z
  .object({
    would_send: z.boolean(),
    why_not: z.string().nullable(),
    rules: z.array(judgedCondition),
    request: z
      .object({
        method: z.enum(hookMethods),
        url: z.string(),
        headers: z.record(z.string(), z.string()),
        body: z.unknown(),
      })
      .nullable()
      .meta({ description: 'Values of secrets are ***. null where the templates are not valid' }),
    problems: z.array(z.object({ pointer: z.string(), detail: z.string() })),
  })
  .meta({ id: 'HookPreview' });

/** Level by level: what is nested deeper than a stack is deep must not overflow one. */
function depthOf(value: unknown): number {
  let depth = 0;
  for (let level = [value]; depth <= maxBodyDepth; depth += 1) {
    level = level
      .filter((each) => typeof each === 'object' && each !== null)
      .flatMap((each) => Object.values(each));
    if (level.length === 0) return depth;
  }
  return depth;
}

/** A variable or a secret. */
export type NewValue = z.output<typeof newVariable> | z.output<typeof newSecret>;
export type ValueChange = z.output<typeof variableChange> | z.output<typeof secretChange>;
export type VariableView = z.input<typeof variableView>;
export type SecretView = z.input<typeof secretView>;
export type NewHook = z.output<typeof newHook>;
export type HookChange = z.output<typeof hookChange>;
export type HookView = z.input<typeof hookView>;
export type HookMethod = (typeof hookMethods)[number];
export type HookPreview = z.input<typeof hookPreview>;
