import { judge, whyNot } from '../conditions.ts';
import type { Context, Principal } from '../context.ts';
import type { Database, Transaction } from '../db.ts';
import { AppError, type FieldProblem } from '../errors.ts';
import { draftHook, type OpenHook } from './checked-hook.ts';
import { opened, requireHook } from './hooks.ts';
import { namedValues, type NamedValues } from './named-values.ts';
import { renderHook, type HookRequest } from './render-hook.ts';
import { runText, runValue, type RunFacts } from './run-values.ts';
import type { HookPreview, NewHook } from './schema.ts';

/** Of a run that has ended; null when the organization has none of this id, or it has not ended. */
export type FactsOf = (
  db: Database | Transaction,
  organizationId: string,
  runId: string,
) => Promise<RunFacts | null>;

/** What a hook would do at the end of a run that was. Sends and stores nothing. */
export function previewHook(
  context: Context,
  factsOf: FactsOf,
  { organizationId }: Principal,
  hookId: string,
  runId: string,
): Promise<HookPreview> {
  const { db, secrets } = context;
  return db.$transaction(async (tx) => {
    const hook = opened(await requireHook(tx, organizationId, hookId), secrets);
    const run = await requireFacts(tx, factsOf, organizationId, runId);
    return preview(context, hook, await namedValues(tx, context, organizationId), run, []);
  });
}

/** The same of a hook that is not there yet. What would keep it from being saved is said, too. */
export function previewNewHook(
  context: Context,
  factsOf: FactsOf,
  { organizationId }: Principal,
  wanted: NewHook,
  runId: string,
): Promise<HookPreview> {
  return context.db.$transaction(async (tx) => {
    const run = await requireFacts(tx, factsOf, organizationId, runId);
    const { hook, known, problems } = await draftHook(tx, context, organizationId, null, wanted);
    return preview(context, hook, known, run, problems);
  });
}

async function requireFacts(tx: Transaction, factsOf: FactsOf, organizationId: string, runId: string) {
  const facts = await factsOf(tx, organizationId, runId);
  if (facts === null) throw new AppError('not_found', 'There is no such run, or it has not ended yet.');
  return facts;
}

function preview(
  { config }: Context,
  hook: OpenHook,
  known: NamedValues,
  run: RunFacts,
  ofHook: FieldProblem[],
): HookPreview {
  const judged = judge(hook.rules, (name) => runValue(run, name));
  const allowCidrs = config.DCTL_WEBHOOK_ALLOW_CIDRS;
  const { shown, problems: ofRequest } = renderHook(hook, known, (name) => runText(run, name), allowCidrs);
  const problems = [...ofRequest, ...ofHook].map(({ pointer, detail }) => ({ pointer, detail }));
  const why = reasonNot(hook, run) ?? whyNot(judged.conditions) ?? problems[0]?.detail ?? null;
  return {
    would_send: why === null,
    why_not: why,
    rules: judged.conditions,
    request: shown && shownRequest(shown),
    problems,
  };
}

function reasonNot({ active, jobIds }: OpenHook, { jobId }: RunFacts): string | null {
  if (!active) return 'The hook is switched off: set is_active to true.';
  if (jobIds.length > 0 && !jobIds.includes(jobId)) return "The run's job is not among the jobs of the hook.";
  return null;
}

function shownRequest({ method, url, headers, body }: HookRequest): HookPreview['request'] {
  return { method, url, headers, body: body === null ? null : (JSON.parse(body) as unknown) };
}
