import { randomUUID } from 'node:crypto';
import { judge, type Condition } from '../conditions.ts';
import type { Context } from '../context.ts';
import { isDatabaseAway, type Transaction } from '../db.ts';
import type { FieldProblem } from '../errors.ts';
import { sealedForHook } from '../webhooks/record-delivery.ts';
import { explainBlocked, insertNewDeliveries, type NewDelivery } from '../webhooks/store.ts';
import { opened } from './hooks.ts';
import { namedValues, type NamedValues } from './named-values.ts';
import { renderHook } from './render-hook.ts';
import { runText, runValue, type RunFacts } from './run-values.ts';
import { findHooksOfJob, type StoredHook } from './store.ts';

interface Run {
  id: string;
  jobId: string;
  organizationId: string;
}

/**
 * Records the requests of the hooks that a run's end is for, in the transaction that ends it: each hook's once, with all
 * values as they are now. The run ends whatever goes wrong with them: what cannot be sent is a delivery that says why.
 *
 * `factsOf`: asked only when there is a hook. Returns the ids of what may be sent at once.
 */
export async function tellHooks(
  tx: Transaction,
  context: Context,
  run: Run,
  factsOf: () => Promise<RunFacts>,
): Promise<string[]> {
  await tx.$executeRaw`SAVEPOINT hooks`;
  try {
    return await recordRequests(tx, context, run, factsOf);
  } catch (error) {
    if (isDatabaseAway(error)) throw error;
    context.log.error({ error, run: run.id }, 'the hooks of a run were not told of its end');
    await tx.$executeRaw`ROLLBACK TO SAVEPOINT hooks`;
    return [];
  }
}

async function recordRequests(
  tx: Transaction,
  context: Context,
  run: Run,
  factsOf: () => Promise<RunFacts>,
): Promise<string[]> {
  const hooks = await findHooksOfJob(tx, run);
  if (hooks.length === 0) return [];
  const facts = await factsOf();
  const known = await namedValues(tx, context, run.organizationId);
  const deliveries = hooks.flatMap((hook) => deliveryOf(context, hook, facts, known) ?? []);
  const recorded = new Set(
    await insertNewDeliveries(
      tx,
      deliveries.map(({ delivery }) => delivery),
    ),
  );
  const made = deliveries.filter(({ delivery }) => recorded.has(delivery.id));
  await explainBlocked(
    tx,
    made.flatMap(({ delivery: { id }, blocked }) =>
      blocked === null ? [] : [{ deliveryId: id, explanation: `${blocked} Nothing was sent.` }],
    ),
  );
  return made.filter(({ blocked }) => blocked === null).map(({ delivery }) => delivery.id);
}

/** As long as a hook's template may be. */
const maxShownUrl = 4_000;

/** `blocked`: why it is never sent. */
interface Recorded {
  delivery: NewDelivery;
  blocked: string | null;
}

/** Null: its rules do not hold. */
function deliveryOf(
  context: Context,
  hook: StoredHook,
  facts: RunFacts,
  known: NamedValues,
): Recorded | null {
  const { secrets, config, log } = context;
  const id = randomUUID();
  const told = {
    id,
    runId: facts.id,
    jobId: facts.jobId,
    hookId: hook.id,
    kind: 'hook',
    event: facts.event,
  } as const;
  const blocked = (why: string, shown = { url: hook.url, body: hook.body }): Recorded => ({
    delivery: {
      ...told,
      // What is too long to be sent is too long to be kept, too.
      url: shown.url.slice(0, maxShownUrl).toWellFormed(),
      body: shown.body ?? '',
      ...sealedForHook(id, { headers: {}, auth: null, request: null }, secrets),
      state: 'blocked',
    },
    blocked: why,
  });
  try {
    const rules = hook.rules as unknown as Condition[];
    if (!judge(rules, (name) => runValue(facts, name)).holds) return null;
    const open = opened(hook, secrets);
    const { request, shown, hide, problems } = renderHook(
      open,
      known,
      (name) => runText(facts, name),
      config.DCTL_WEBHOOK_ALLOW_CIDRS,
    );
    const [problem] = problems;
    if (problem !== undefined || request === null || shown === null)
      return blocked(problemSentence(problem), shown ?? undefined);
    const { headers, ...sent } = request;
    return {
      delivery: {
        ...told,
        url: shown.url,
        body: shown.body ?? '',
        ...sealedForHook(id, { headers, auth: open.auth, request: { ...sent, hide } }, secrets),
        state: 'pending',
      },
      blocked: null,
    };
  } catch (error) {
    log.error({ error, hook: hook.id }, 'a hook is not sent: it could not be opened or rendered');
    return blocked('The hook could not be put together: the log of the server says why.');
  }
}

function problemSentence(problem: FieldProblem | undefined): string {
  if (problem === undefined) return 'The hook could not be put together.';
  return problem.pointer === '' ? problem.detail : `${problem.pointer.slice(1)}: ${problem.detail}`;
}
