import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import type { Delivery, deliveryList } from './schema.ts';
import { isJobKnown, listDeliveries } from './store.ts';

/** A job's webhooks with every try, newest first. A deleted job's too. */
export async function deliveriesOf(
  { db }: Context,
  { organizationId }: Principal,
  job: { projectId: string; jobId: string },
  page: { limit: number; cursor?: string | undefined },
): Promise<z.input<typeof deliveryList>> {
  const where = { ...job, organizationId };
  if (!(await isJobKnown(db, where))) throw new AppError('not_found', 'There is no such job.');
  const rows = await listDeliveries(db, where, decodeCursor(page.cursor), page.limit + 1);
  return pageOf(rows, page.limit, (row) => ({
    id: row.id,
    run_id: row.runId,
    job_id: row.jobId,
    event: row.event as Delivery['event'],
    url: row.url,
    state: row.state as Delivery['state'],
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
  }));
}
