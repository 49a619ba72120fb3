import { z } from 'zod';
import * as hooks from '../hooks/schema.ts';
import { id } from '../text.ts';

const workspace = {
  workspace_id: id.meta({ description: "The organization's id, or its number" }),
};
export const workspaceParams = z.object(workspace);
export const variableParams = hooks.variableParams.extend(workspace);
export const secretParams = hooks.secretParams.extend(workspace);
export const webhookParams = hooks.hookParams.extend(workspace);

const listed = <Item extends z.ZodType>(item: Item) =>
  z.object({
    count: z.int().min(0).meta({ description: 'How many there are in all' }),
    results: z.array(item),
  });

/** Ours, under the name that these paths have for an id. */
const _id = z.string();
const underTheirName = <Shape extends z.ZodRawShape>(view: z.ZodObject<Shape>) =>
  view.omit({ id: true } as never).extend({ _id });

/** A client may send back what it was shown, with what it changed: these say nothing then. */
const asShown = <Shape extends z.ZodRawShape>(change: z.ZodObject<Shape>) =>
  z.preprocess(
    (given) =>
      typeof given === 'object' && given !== null && !Array.isArray(given)
        ? Object.fromEntries(Object.entries(given).filter(([field]) => !shownOnly.has(field)))
        : given,
    change,
  );
const shownOnly = new Set(['_id', 'created_at', 'updated_at']);

export const { newVariable, newSecret, newHook: newWebhook } = hooks;
export const variableChange = asShown(hooks.variableChange);
export const secretChange = asShown(hooks.secretChange);
export const webhookChange = asShown(hooks.hookChange);

export const variable = underTheirName(hooks.variableView).meta({ id: 'WorkspaceVariable' });
export const secret = underTheirName(hooks.secretView).meta({ id: 'WorkspaceSecret' });
export const webhook = underTheirName(hooks.hookView).meta({ id: 'WorkspaceWebhook' });
export const variableList = listed(variable);
export const secretList = listed(secret);
export const webhookList = listed(webhook);

const job = z
  .object({
    _id,
    name: z.string(),
    schema_name: z
      .string()
      .nullable()
      .meta({ description: 'Where it builds; null: the profile of its project says so' }),
    connector_name: z
      .string()
      .nullable()
      .meta({ description: 'The kind of its warehouse; null: the profile of its project says so' }),
    is_active: z.boolean(),
  })
  .meta({ id: 'WorkspaceJob' });
export const jobList = listed(job);
export const jobsQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
  offset: z.coerce.number().int().min(0).max(1_000_000_000).default(0),
});

export type WorkspaceJob = z.input<typeof job>;
export type Page = z.output<typeof jobsQuery>;
