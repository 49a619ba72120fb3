import type { z } from 'zod';
import { recordAudit, type AuditAction } from '../audit/record-audit.ts';
import type { Caller, Context, SignedInUser } from '../context.ts';
import type { Transaction } from '../db.ts';
import { AppError, invalidField } from '../errors.ts';
import { hashPassword, isPassword } from '../users/password.ts';
import {
  findUser,
  findUserByEmail,
  findUserWithMemberships,
  raiseSessionVersion,
  updatePassword,
} from '../users/store.ts';
import type { credentials, passwordChange, sessionView } from './schema.ts';
import type { SignInLimit } from './sign-in-limit.ts';
import { signSession } from './session-token.ts';
import { signedIn } from './signed-in.ts';

type SessionView = z.input<typeof sessionView>;

/** A session that has just begun: what its cookie holds, and what its owner is shown. */
export interface Begun {
  token: string;
  session: SessionView;
}

/** As slow for an e-mail address that nobody has as for a wrong password, and the same answer. */
export async function signIn(
  context: Context,
  limit: SignInLimit,
  address: string,
  { email, password }: z.output<typeof credentials>,
): Promise<Begun> {
  const user = await findUserByEmail(context.db, email);
  const isRight = await limit.guard({ address, email }, () => isPassword(password, user?.passwordHash));
  if (user === null || !isRight) {
    context.log.info({ address }, 'a sign-in failed');
    throw wrongCredentials();
  }
  return context.db.$transaction((tx) => begin(context, tx, user.id, 'session.started', user.sessionVersion));
}

/** Tells a signed-in user from a token, which has no session. */
export function requireUser(caller: Caller): SignedInUser {
  if (caller.kind === 'user') return caller.user;
  throw new AppError('forbidden', 'This is for people who are signed in: an API token has no session.');
}

export function sessionOf(user: SignedInUser): SessionView {
  return {
    user: { id: user.id, email: user.email, is_server_admin: user.isServerAdmin },
    organizations: user.memberships.map(({ organizationId, organizationName, role }) => ({
      id: organizationId,
      name: organizationName,
      role,
    })),
    expires_at: user.sessionExpiresAt.toISOString(),
  };
}

/** Every session of this user, this one too, from the next request on. */
export async function endAllSessions({ db }: Context, user: SignedInUser): Promise<void> {
  await raiseSessionVersion(db, user.id);
}

/** Ends all sessions of the user and begins a new one. */
export async function changePassword(
  context: Context,
  limit: SignInLimit,
  address: string,
  { id, email }: SignedInUser,
  { current_password: current, new_password: wanted }: z.output<typeof passwordChange>,
): Promise<Begun> {
  const { db } = context;
  const user = await findUser(db, id);
  if (user === null || !(await limit.guard({ address, email }, () => isPassword(current, user.passwordHash))))
    throw wrongCurrentPassword();
  const newHash = await hashPassword(wanted);
  return db.$transaction(async (tx) => {
    if (!(await updatePassword(tx, id, newHash, user.passwordHash))) throw wrongCurrentPassword();
    return begin(context, tx, id, 'user.password_changed');
  });
}

function wrongCurrentPassword(): AppError {
  return invalidField('/current_password', 'This is not your current password.');
}

/** `sessionVersion`: the one that the password was checked with, so that a session never outlives a newer password. */
async function begin(
  { secrets }: Context,
  tx: Transaction,
  userId: string,
  action: AuditAction,
  sessionVersion?: number,
): Promise<Begun> {
  const user = await findUserWithMemberships(tx, userId);
  if (user === null) throw wrongCredentials();
  const version = sessionVersion ?? user.sessionVersion;
  const { token, expiresAt } = signSession(secrets, { userId, sessionVersion: version });
  const actor = { kind: 'user', id: userId, name: user.email } as const;
  for (const { organizationId } of user.memberships)
    await recordAudit(tx, { organizationId, actor }, action, { kind: 'user', id: userId });
  return { token, session: sessionOf(signedIn(user, expiresAt)) };
}

function wrongCredentials(): AppError {
  return new AppError('unauthenticated', 'The e-mail address or the password is not right.');
}
