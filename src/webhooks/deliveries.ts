import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import type { Database, Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import type { Delivery, deliveryInFull, deliveryList, DeliveryState } from './schema.ts';
import { noSuchSubscription } from './subscriptions.ts';
import { findSubscription } from './subscription-store.ts';
import { findDelivery, isJobKnown, isRunKnown, listDeliveries, type DeliveryFilter } from './store.ts';

type Page = { limit: number; cursor?: string | undefined };

/** A job's webhooks with every try, newest first. A deleted job's too. */
export async function deliveriesOf(
  { db }: Context,
  { organizationId }: Principal,
  { projectId, jobId }: { projectId: string; jobId: string },
  { runId, state, ...page }: Page & { runId?: string | undefined; state?: DeliveryState | undefined },
): Promise<z.input<typeof deliveryList>> {
  if (!(await isJobKnown(db, { projectId, jobId, organizationId })))
    throw new AppError('not_found', 'There is no such job.');
  return pageOfDeliveries(db, { organizationId, jobId, runId, state }, page);
}

/** The webhooks of a run, and those that somebody had sent again, newest first. */
export async function deliveriesOfRun(
  { db }: Context,
  { organizationId }: Principal,
  runId: string,
  page: Page,
): Promise<z.input<typeof deliveryList>> {
  if (!(await isRunKnown(db, organizationId, runId)))
    throw new AppError('not_found', 'There is no such run.');
  return pageOfDeliveries(db, { organizationId, runId }, page);
}

/** What a subscription told, newest first. A deleted one's too. */
export async function deliveriesOfSubscription(
  { db }: Context,
  { organizationId }: Principal,
  subscriptionId: string,
  { state, ...page }: Page & { state?: DeliveryState | undefined },
): Promise<z.input<typeof deliveryList>> {
  const found = await findSubscription(db, organizationId, subscriptionId, { alsoDeleted: true });
  if (found === null) throw noSuchSubscription();
  return pageOfDeliveries(db, { organizationId, subscriptionId, state }, page);
}

export async function getDelivery(
  { db }: { db: Database | Transaction },
  { organizationId }: Principal,
  id: string,
): Promise<Delivery> {
  const row = await findDelivery(db, organizationId, id);
  if (row === null) throw noSuchDelivery();
  return view(row);
}

/** With what is sent. Its headers stay what they are to everybody: sealed. */
export async function getDeliveryInFull(
  { db }: Context,
  { organizationId }: Principal,
  id: string,
): Promise<z.input<typeof deliveryInFull>> {
  const row = await findDelivery(db, organizationId, id);
  if (row === null) throw noSuchDelivery();
  return { ...view(row), body: row.body };
}

export function noSuchDelivery(): AppError {
  return new AppError('not_found', 'There is no such delivery.');
}

/** For those who have made sure of what the filter names. */
export async function pageOfDeliveries(
  db: Database,
  filter: DeliveryFilter,
  page: Page,
): Promise<z.input<typeof deliveryList>> {
  const rows = await listDeliveries(db, filter, decodeCursor(page.cursor), page.limit + 1);
  return pageOf(rows, page.limit, view);
}

function view(row: Awaited<ReturnType<typeof listDeliveries>>[number]): Delivery {
  return {
    id: row.id,
    kind: row.kind as Delivery['kind'],
    run_id: row.runId,
    job_id: row.jobId,
    subscription_id: row.subscriptionId,
    hook_id: row.hookId,
    event: row.event as Delivery['event'],
    url: row.url,
    state: row.state as DeliveryState,
    sent_again_of: row.sentAgainOf,
    requested_by: row.requestedBy,
    created_at: row.createdAt.toISOString(),
    tries: row.tries.map((each) => ({
      number: each.number,
      started_at: each.startedAt.toISOString(),
      status_code: each.statusCode,
      duration_ms: each.durationMs,
      answer: each.answer,
      result: each.result as Delivery['tries'][number]['result'],
      explanation: each.explanation,
    })),
  };
}
