import type { z } from 'zod';
import type { Actor, Context, Principal } from '../context.ts';
import { decodeCursor, olderThan, pageOf } from '../paging.ts';
import type { auditList, auditQuery } from './schema.ts';

/** What was noted in the organization, newest first. */
export async function auditEventsOf(
  { db }: Context,
  { organizationId }: Principal,
  { cursor, limit, action, subject_id: subjectId, address }: z.output<typeof auditQuery>,
): Promise<z.input<typeof auditList>> {
  const rows = await db.auditEvent.findMany({
    where: {
      organizationId,
      ...(action === undefined ? {} : { action }),
      ...(subjectId === undefined ? {} : { subjectId }),
      ...(address === undefined ? {} : { address }),
      ...olderThan(decodeCursor(cursor)),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit + 1,
  });
  return pageOf(rows, limit, (row) => ({
    id: row.id,
    created_at: row.createdAt.toISOString(),
    actor: { kind: row.actorKind as Actor['kind'], id: row.actorId, name: row.actorName },
    action: row.action,
    subject: { kind: row.subjectKind, id: row.subjectId },
    address: row.address,
    details: row.details as Record<string, unknown> | null,
  }));
}
