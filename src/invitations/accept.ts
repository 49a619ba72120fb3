import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import { AppError, invalidField } from '../errors.ts';
import type { Role } from '../scopes.ts';
import { beginSession, isRightPassword, type Begun } from '../sessions/sessions.ts';
import type { SignInLimit } from '../sessions/sign-in-limit.ts';
import { ensureAccount, preparePassword } from '../users/ensure-account.ts';
import { password as wantedPassword } from '../users/schema.ts';
import { findMember, findUserByEmail, insertMember, lockMembers, makeServerAdmin } from '../users/store.ts';
import type { acceptance, shownInvitation } from './schema.ts';
import { findInvitation, noteWhoCame, useUpInvitation } from './store.ts';

/** What whoever has the link is shown before they accept. */
export async function lookUpInvitation(
  context: Context,
  token: string,
): Promise<z.input<typeof shownInvitation>> {
  const invitation = await requireInvitation(context, token);
  const { email } = invitation;
  return {
    organization_name: invitation.organization.name,
    email,
    role: invitation.role as Role,
    has_account: email !== null && (await findUserByEmail(context.db, email)) !== null,
    expires_at: invitation.expiresAt.toISOString(),
  };
}

/**
 * Makes whoever has the link a member and begins their session. An account that the server knows is its owner's alone:
 * the link without its password opens nothing.
 */
export async function acceptInvitation(
  context: Context,
  limit: SignInLimit,
  address: string,
  { token, email: ownEmail, password }: z.output<typeof acceptance>,
): Promise<Begun> {
  const { db } = context;
  const invitation = await requireInvitation(context, token);
  const email = emailFor(invitation, ownEmail);
  const known = await findUserByEmail(db, email);
  if (known === null) requireGoodPassword(password);
  else if (!(await isRightPassword(context, limit, { address, email, password }, known)))
    throw invalidField('/password', 'The server knows this e-mail address: write the password you have.');
  const prepared = known === null ? await preparePassword(password) : undefined;

  return db.$transaction(async (tx) => {
    const { id, organizationId, makesServerAdmin } = invitation;
    await lockMembers(tx, organizationId);
    if (!(await useUpInvitation(tx, id))) throw noSuchInvitation();
    const userId = known?.id ?? (await newAccount(tx, email, prepared!));
    await noteWhoCame(tx, id, userId);
    if (makesServerAdmin) await makeServerAdmin(tx, userId);
    const role = invitation.role as Role;
    const isMember = (await findMember(tx, organizationId, userId)) !== null;
    if (!isMember) await insertMember(tx, { organizationId, userId, role });
    const asker = { organizationId, actor: { kind: 'user', id: userId, name: email, address } } as const;
    await recordAudit(tx, asker, 'invitation.accepted', { kind: 'invitation', id }, { email, role });
    const sessionVersion = known?.sessionVersion;
    const session = { id: userId, address, sessionVersion, notedIn: organizationId };
    return beginSession(context, tx, session, 'session.started');
  });
}

async function requireInvitation({ db, secrets }: Context, token: string) {
  const found = await findInvitation(db, secrets.fingerprints(token));
  if (found === null) throw noSuchInvitation();
  return found;
}

function emailFor(invitation: { email: string | null }, own: string | undefined): string {
  if (invitation.email === null)
    return own ?? refuse('/email', 'Write your e-mail address: the invitation names none.');
  if (own !== undefined && own !== invitation.email)
    refuse('/email', 'The invitation is for another e-mail address: leave this out.');
  return invitation.email;
}

function requireGoodPassword(password: string): void {
  const { error } = wantedPassword.safeParse(password);
  if (error !== undefined) refuse('/password', error.issues[0]?.message ?? 'write at least 12 characters');
}

async function newAccount(
  tx: Transaction,
  email: string,
  prepared: Awaited<ReturnType<typeof preparePassword>>,
): Promise<string> {
  const { userId, isNew } = await ensureAccount(tx, email, prepared);
  // Somebody else made it meanwhile, with a password of theirs.
  if (!isNew)
    throw new AppError('conflict', 'The server knows this e-mail address since a moment: try again.');
  return userId;
}

function noSuchInvitation(): AppError {
  return new AppError(
    'not_found',
    'This invitation is not good any more: it was used, taken back, or is older than a week. Ask for another.',
  );
}

function refuse(pointer: string, detail: string): never {
  throw invalidField(pointer, detail);
}
