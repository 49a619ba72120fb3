import { randomUUID } from 'node:crypto';
import type { Actor } from '../context.ts';
import { Prisma, type Database, type Transaction } from '../db.ts';

/** What is noted, as `<subject>.<past participle>`. */
export type AuditAction =
  | 'organization.created'
  | 'organization.changed'
  | 'user.added'
  | 'user.changed'
  | 'user.removed'
  | 'user.password_changed'
  | 'session.started'
  | 'session.failed'
  | 'user.sessions_ended'
  | 'user.identity_linked'
  | 'invitation.created'
  | 'invitation.withdrawn'
  | 'invitation.accepted'
  | 'token.created'
  | 'token.revoked'
  | 'project.created'
  | 'project.changed'
  | 'project.deleted'
  | 'deployment.created'
  | 'deployment.activated'
  | 'deployment.pruned'
  | 'deployment.prepared_again'
  | 'environment.created'
  | 'environment.changed'
  | 'environment.deleted'
  | 'secret.set'
  | 'secret.deleted'
  | 'job.created'
  | 'job.changed'
  | 'job.deleted'
  | 'run.triggered'
  | 'run.cancelled'
  | 'webhook.secret_revealed'
  | 'webhook.secret_rotated'
  | 'webhook.sent_again'
  | 'webhook.tested'
  | 'webhook_subscription.created'
  | 'webhook_subscription.changed'
  | 'webhook_subscription.deleted'
  | 'event_source.created'
  | 'event_source.changed'
  | 'event_source.secret_rotated'
  | 'event_source.deleted'
  | 'event_rule.created'
  | 'event_rule.changed'
  | 'event_rule.deleted'
  | 'variable.created'
  | 'variable.changed'
  | 'variable.deleted'
  | 'orchestration_secret.created'
  | 'orchestration_secret.changed'
  | 'orchestration_secret.deleted'
  | 'hook.created'
  | 'hook.changed'
  | 'hook.deleted';

/**
 * Notes who did what, for good. `details` holds names of fields and other facts that anybody in the organization may
 * read: never a value that is secret, nor one that may be. Pass the transaction of what is noted, so that neither
 * exists without the other.
 */
export async function recordAudit(
  db: Database | Transaction,
  who: { organizationId: string; actor: Actor },
  action: AuditAction,
  subject: { kind: string; id: string },
  details?: Record<string, unknown>,
): Promise<void> {
  await db.auditEvent.create({
    data: {
      id: randomUUID(),
      organizationId: who.organizationId,
      actorKind: who.actor.kind,
      actorId: who.actor.id,
      actorName: who.actor.name,
      address: who.actor.address ?? null,
      action,
      subjectKind: subject.kind,
      subjectId: subject.id,
      details: details === undefined ? Prisma.DbNull : (details as Prisma.InputJsonObject),
    },
    select: { id: true },
  });
}
