import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import type { Role } from '../scopes.ts';
import { findUserByEmail, findMember, lockMembers } from '../users/store.ts';
import { makeInvitation } from './make-invitation.ts';
import type { invitationList, invitationView, madeInvitation, newInvitation } from './schema.ts';
import { listInvitations, revokeInvitation } from './store.ts';

type Asker = Pick<Principal, 'organizationId' | 'actor'>;

/** Those that somebody may still come with, oldest first. */
export async function invitationsOf(
  { db }: Context,
  { organizationId }: Principal,
  page: { limit: number; cursor?: string | undefined },
): Promise<z.input<typeof invitationList>> {
  const rows = await listInvitations(db, organizationId, decodeCursor(page.cursor), page.limit + 1);
  return pageOf(rows, page.limit, view);
}

/** In place of an earlier one for the same address. `serverUrl`: where browsers find the server. */
export async function invite(
  { db, secrets }: Context,
  asker: Asker,
  { email, role }: z.output<typeof newInvitation>,
  serverUrl: string,
): Promise<z.input<typeof madeInvitation>> {
  return db.$transaction(async (tx) => {
    await lockMembers(tx, asker.organizationId);
    const known = await findUserByEmail(tx, email);
    if (known !== null && (await findMember(tx, asker.organizationId, known.id)) !== null) {
      const detail = 'Somebody with this e-mail address is in the organization: change their role instead.';
      throw new AppError('conflict', detail, { problems: [{ pointer: '/email', detail }] });
    }
    const { invitation, url } = await makeInvitation(tx, secrets, asker, { email, role, serverUrl });
    return { ...view(invitation), url };
  });
}

export async function withdrawInvitation({ db }: Context, asker: Asker, id: string): Promise<void> {
  await db.$transaction(async (tx) => {
    const revoked = await revokeInvitation(tx, asker.organizationId, id);
    if (revoked === null) throw new AppError('not_found', 'There is no such invitation that is open.');
    const facts = { email: revoked.email, role: revoked.role };
    await recordAudit(tx, asker, 'invitation.withdrawn', { kind: 'invitation', id }, facts);
  });
}

function view(
  invitation: Awaited<ReturnType<typeof listInvitations>>[number],
): z.input<typeof invitationView> {
  return {
    id: invitation.id,
    email: invitation.email,
    role: invitation.role as Role,
    created_by: invitation.createdBy,
    created_at: invitation.createdAt.toISOString(),
    expires_at: invitation.expiresAt.toISOString(),
  };
}
