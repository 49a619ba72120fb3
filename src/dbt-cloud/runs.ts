import type { Context, Principal } from '../context.ts';
import { cancelRun as cancel } from '../runs/cancel.ts';
import { requireAccount } from './accounts.ts';
import { both, listed, pageOf } from './lists.ts';
import type { RunQuery } from './queries.ts';
import { answerById, answerOf, answersOf, requireRun, type Asking, type RunKey } from './run-answers.ts';
import type { RunView } from './schema.ts';
import type { StatusCode } from './status.ts';
import { findIdsOfNumbers, listRuns } from './run-store.ts';

export async function runsOf(
  context: Context,
  principal: Principal,
  accountId: number,
  query: RunQuery,
  asking: Asking,
) {
  await requireAccount(context, principal, accountId);
  // No run defers to another.
  if (query.deferring_run_id !== undefined) return listed<RunView>([], query, 0);
  const { organizationId } = principal;
  const ids = await findIdsOfNumbers(context.db, organizationId, {
    projects: both(query.project_id, query.project_id__in),
    environments: both(query.environment_id, query.environment_id__in),
    jobs: both(query.job_definition_id, query.job_definition_id__in),
  });
  const filters = {
    organizationId,
    ...ids,
    statuses: both(query.status, query.status__in) as StatusCode[] | undefined,
    createdWithin: query.created_at__range,
    finishedWithin: query.finished_at__range,
  };
  const { rows, total } = await listRuns(context.pool, filters, pageOf(query));
  return listed(await answersOf(context, rows, accountId, asking), query, total);
}

export async function getRun(
  context: Context,
  principal: Principal,
  key: RunKey,
  asking: Asking,
): Promise<RunView> {
  const run = await requireRun(context, principal, key);
  return answerOf(context, run, key.account_id, asking);
}

export async function cancelRun(
  context: Context,
  principal: Principal,
  key: RunKey,
  asking: Asking,
): Promise<RunView> {
  const { id } = await requireRun(context, principal, key);
  await cancel(context, principal, id);
  return answerById(context, principal, id, key.account_id, asking);
}
