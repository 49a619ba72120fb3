import { z } from 'zod';
import { conditions, judgedCondition } from '../conditions.ts';
import { listOf, pageQuery } from '../paging.ts';
import { runStatuses } from '../runs/status.ts';
import { triggerRequest, triggers } from '../runs/schema.ts';
import { id, name, text } from '../text.ts';
import { delivery } from '../webhooks/schema.ts';

export const authStyles = ['token', 'standard_webhooks', 'github', 'stripe'] as const;
export type AuthStyle = (typeof authStyles)[number];

const time = z.iso.datetime();
const path = text(200)
  .regex(/^[^.\s]+(\.[^.\s]+)*$/, 'write the names of fields with dots between them, such as data.table')
  .meta({ example: 'data.table' });

const givenSecret = text(500)
  .min(16, 'give at least 16 characters')
  .regex(/^[\x20-\x7e]*$/, 'write ASCII characters on one line')
  .optional()
  .meta({ description: 'What the sender signs with, where it says so itself; left out: one is made' });

const source = z.strictObject({
  name,
  id_field: path.nullable().meta({
    description: 'Where an event has its own id; null: in the header or field that such senders use',
  }),
  is_active: z.boolean().meta({ description: 'Whether events are taken' }),
});

export const newSource = source.extend({
  auth: z.enum(authStyles).meta({
    description:
      'How a request shows where it comes from: with the source’s token, or signed as Standard Webhooks, GitHub or Stripe do',
  }),
  id_field: source.shape.id_field.default(null),
  is_active: source.shape.is_active.default(true),
  secret: givenSecret,
});
export const sourceChange = source.partial();
export const secretChange = z.strictObject({ secret: givenSecret });

export const sourceView = z
  .object({
    id: z.string(),
    ...source.shape,
    auth: z.enum(authStyles),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'EventSource' });
export const sourceWithSecret = sourceView.extend({
  secret: z.string().meta({ description: 'The token, or what the sender signs with. It is shown this once' }),
});
export const sourceList = listOf(sourceView);
export const sourceParams = z.object({ source_id: id });

const maxWindowSeconds = 7 * 86_400;

const windowUntil = z.strictObject({
  variable_name: path,
  values: z
    .array(z.union([text(200), z.number(), z.boolean()], { error: 'write texts, numbers or booleans' }))
    .min(1)
    .max(100),
});

const metadata = triggerRequest.shape.metadata.unwrap();

const rule = z.strictObject({
  name,
  source_id: id,
  is_active: z.boolean().meta({ description: 'Whether events are judged' }),
  conditions: conditions.meta({
    description: 'On fields of the event, by their dotted paths. All of them hold, or nothing follows',
  }),
  project_id: id,
  job_id: id,
  command_override: text(5_000).nullable().meta({
    description: "In place of the job's commands. ${{event.<path>}} may stand for a value of an option",
    example: 'dbt build --select source:raw.${{event.data.table}}+',
  }),
  cause: text(1_000).nullable(),
  metadata: metadata.nullable(),
  window_seconds: z.int().min(1).max(maxWindowSeconds).nullable().meta({
    description:
      'Events are gathered for so long after the first one, and make one run; null: each makes a run',
  }),
  window_until: windowUntil.nullable().meta({
    description: 'The window closes as soon as all of these values have arrived',
  }),
});

export const newRule = rule.extend({
  is_active: rule.shape.is_active.default(true),
  conditions: rule.shape.conditions.default([]),
  project_id: rule.shape.project_id.optional(),
  command_override: rule.shape.command_override.default(null),
  cause: rule.shape.cause.default(null),
  metadata: rule.shape.metadata.default(null),
  window_seconds: rule.shape.window_seconds.default(null),
  window_until: rule.shape.window_until.default(null),
});
export const ruleChange = rule.partial();
export const ruleView = z
  .object({ id: z.string(), ...rule.shape, created_at: time, updated_at: time })
  .meta({ id: 'EventRule' });
export const ruleList = listOf(ruleView);
export const ruleParams = z.object({ rule_id: id });

export const previewRequest = z
  .strictObject({
    rule: newRule.optional().meta({ description: 'One that is not stored' }),
    rule_id: id.optional().meta({ description: 'One that is' }),
    changes: ruleChange.optional().meta({ description: 'What would be changed of it' }),
    days: z.number().positive().max(30).default(7).meta({ description: 'How far back to look' }),
  })
  .refine(({ rule: given, rule_id: ruleId }) => (given === undefined) !== (ruleId === undefined), {
    error: 'give either rule or rule_id',
    path: ['rule'],
  })
  .refine(({ rule: given, changes }) => given === undefined || changes === undefined, {
    error: 'changes are of a rule_id: leave them out',
    path: ['changes'],
  });

export const preview = z
  .object({
    events: z.int().meta({ description: 'How many the source has had meanwhile' }),
    is_cut: z.boolean().meta({ description: 'There are more: only the newest were looked at' }),
    matched: z.int(),
    would_run: z.int(),
    runs: z
      .array(
        z.object({
          at: time.meta({ description: 'When it would have been recorded' }),
          command: z.string().nullable().meta({ description: 'null where there would be no run' }),
          cause: z.string().nullable(),
          metadata: metadata.nullable(),
          event_count: z.int(),
          event_ids: z.array(z.string()).meta({ description: 'The first 200' }),
          refused: z.string().nullable().meta({ description: 'Why there would be no run' }),
        }),
      )
      .meta({ description: 'The first 200' }),
  })
  .meta({ id: 'EventRulePreview' });

/** Of a path that means an event to whoever reads, and a source to whoever sends. */
export const eventParams = z.object({ id });
export const anyEvent = z.record(z.string(), z.unknown()).meta({
  description: 'Any JSON object of at most 256 KiB',
  example: { id: 'evt-1', table: 'orders', rows: 1547 },
});
export const runEventsParams = z.object({ run_id: id });

export const verdicts = ['no_match', 'gathering', 'run', 'refused'] as const;

const verdict = z
  .object({
    rule_id: z.string(),
    rule_name: z.string(),
    verdict: z.enum(verdicts),
    reason: z.string().nullable().meta({ description: 'Why there is no run' }),
    run_id: z.string().nullable(),
    gathering: z
      .object({ id: z.string(), opened_at: time, closes_at: time, closed_at: time.nullable() })
      .nullable()
      .meta({ description: 'The events it waited with for one run, or waits' }),
  })
  .meta({ id: 'EventVerdict' });

export const eventView = z
  .object({
    id: z.string(),
    source_id: z.string(),
    source_name: z.string(),
    external_id: z.string().nullable().meta({ description: "The sender's own id" }),
    received_at: time,
    verdicts: z.array(verdict),
  })
  .meta({ id: 'Event' });
export const eventList = listOf(eventView);

export const accepted = eventView
  .extend({ duplicate: z.boolean().meta({ description: 'It had come before: nothing was done again' }) })
  .meta({ id: 'AcceptedEvent' });

const runOfEvent = z
  .object({
    id: z.string(),
    name: z.string(),
    job_id: z.string(),
    status: z.enum(runStatuses),
    triggered_by: z.enum(triggers),
    cause: z.string().nullable(),
    error_message: z.string().nullable(),
    created_at: time,
    end_time: time.nullable(),
    retried_by: z.string().nullable(),
    deliveries: z.array(delivery).meta({ description: 'What it was told with, the newest 50' }),
  })
  .meta({ id: 'RunOfEvent' });

export const eventDetails = eventView
  .extend({
    data: z.unknown().meta({ description: 'As it came; whole numbers too long for a JSON number are texts' }),
    verdicts: z.array(verdict.extend({ conditions: z.array(judgedCondition), run: runOfEvent.nullable() })),
    note: z.string().nullable().meta({ description: 'Why no rule judged it' }),
  })
  .meta({ id: 'EventDetails' });

export const eventQuery = pageQuery.extend({
  source_id: id.optional(),
  rule_id: id.optional().meta({ description: 'Only events that this rule judged' }),
  verdict: z.enum(verdicts).optional().meta({ description: 'Only events of which a rule made this' }),
});

export type NewSource = z.output<typeof newSource>;
export type SourceChange = z.output<typeof sourceChange>;
export type NewRule = z.output<typeof newRule>;
export type RuleChange = z.output<typeof ruleChange>;
export type WindowUntil = z.output<typeof windowUntil>;
export type Verdict = (typeof verdicts)[number];
