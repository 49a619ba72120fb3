import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import type { Delivery, deliveryList } from './schema.ts';
import { listDeliveries } from './store.ts';

/** A job's webhooks with every try, newest first. Empty for a job that is not the organization's. */
export async function deliveriesOf(
  { db }: Context,
  { organizationId }: Principal,
  job: { projectId: string; jobId: string },
  page: { limit: number; cursor?: string | undefined },
): Promise<z.input<typeof deliveryList>> {
  const rows = await listDeliveries(
    db,
    { ...job, organizationId },
    decodeCursor(page.cursor),
    page.limit + 1,
  );
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
