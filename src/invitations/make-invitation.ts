import { randomBytes } from 'node:crypto';
import { recordAudit } from '../audit/record-audit.ts';
import type { Actor } from '../context.ts';
import type { Transaction } from '../db.ts';
import type { Role } from '../scopes.ts';
import type { Secrets } from '../secrets.ts';
import { insertInvitation, revokeInvitationsFor } from './store.ts';

/**
 * An invitation and the link to it, whose secret part is told here and stored nowhere: only a keyed hash is. One that was
 * made before for the same address is taken back.
 *
 * `email` null: whoever has the link says theirs. `serverUrl`: where browsers find the server.
 */
export async function makeInvitation(
  tx: Transaction,
  secrets: Secrets,
  asker: { organizationId: string; actor: Actor },
  wanted: { email: string | null; role: Role; makesServerAdmin?: boolean; serverUrl: string },
) {
  const { organizationId, actor } = asker;
  const { email, role, makesServerAdmin = false, serverUrl } = wanted;
  const token = randomBytes(24).toString('base64url');
  await revokeInvitationsFor(tx, organizationId, email);
  const invitation = await insertInvitation(tx, {
    organizationId,
    email,
    role,
    makesServerAdmin,
    tokenHash: secrets.fingerprint(token),
    createdBy: actor.name,
  });
  const subject = { kind: 'invitation', id: invitation.id };
  await recordAudit(tx, asker, 'invitation.created', subject, { email, role });
  // Behind the #, so that no server's log and no Referer has it.
  return { invitation, url: `${serverUrl}/console/invitation#${token}` };
}
