import type { z } from 'zod';
import { recordAudit, type AuditAction } from '../audit/record-audit.ts';
import type { Actor, Caller, Context, SignedInUser } from '../context.ts';
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
  const isRight = await isRightPassword(context, limit, { address, email, password }, user);
  if (user === null || !isRight) throw wrongCredentials();
  const { id, sessionVersion } = user;
  return context.db.$transaction((tx) =>
    beginSession(context, tx, { id, address, sessionVersion }, 'session.started'),
  );
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
export async function endAllSessions({ db }: Context, user: SignedInUser, address: string): Promise<void> {
  const { id, email, memberships } = user;
  await db.$transaction(async (tx) => {
    await raiseSessionVersion(tx, id);
    await noteEverywhere(
      tx,
      memberships,
      { kind: 'user', id, name: email, address },
      'user.sessions_ended',
      id,
    );
  });
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
  const isRight = await isRightPassword(context, limit, { address, email, password: current }, user);
  if (user === null || !isRight) throw wrongCurrentPassword();
  const newHash = await hashPassword(wanted);
  return db.$transaction(async (tx) => {
    if (!(await updatePassword(tx, id, newHash, user.passwordHash))) throw wrongCurrentPassword();
    return beginSession(context, tx, { id, address }, 'user.password_changed');
  });
}

function wrongCurrentPassword(): AppError {
  return invalidField('/current_password', 'This is not your current password.');
}

/** Whether it is the password of that account. Guessing is slowed down, and a wrong one is noted, wherever it is asked for. */
export async function isRightPassword(
  context: Context,
  limit: SignInLimit,
  { address, email, password }: { address: string; email: string; password: string },
  user: { id: string; email: string; passwordHash: string } | null,
): Promise<boolean> {
  const isRight = await limit.guard({ address, email }, () => isPassword(password, user?.passwordHash));
  if (!isRight) noteFailure(context, user, address);
  return isRight;
}

/**
 * Counts a wrong password, and notes it wherever the user belongs to. Nobody waits for that: an answer that comes later
 * would tell that somebody has the e-mail address.
 */
function noteFailure(
  { db, log, metrics }: Context,
  user: { id: string; email: string } | null,
  address: string,
): void {
  metrics.failedAuthentications.inc({ with: 'password' });
  log.info({ address }, 'a sign-in failed');
  if (user === null) return;
  const { id, email: name } = user;
  db.$transaction(async (tx) => {
    const found = await findUserWithMemberships(tx, id);
    const memberships = found?.memberships ?? [];
    await noteEverywhere(tx, memberships, { kind: 'user', id: null, name, address }, 'session.failed', id);
  }).catch((error: unknown) => log.warn({ error }, 'a sign-in that failed was not noted'));
}

/**
 * A session of somebody who has shown who they are. `sessionVersion`: the one that the password was checked with, so that
 * a session never outlives a newer password. `notedIn`: the organization that knows of it already.
 */
export async function beginSession(
  { secrets }: Context,
  tx: Transaction,
  {
    id,
    address,
    sessionVersion,
    notedIn,
  }: { id: string; address: string; sessionVersion?: number | undefined; notedIn?: string },
  action: AuditAction,
): Promise<Begun> {
  const user = await findUserWithMemberships(tx, id);
  if (user === null) throw wrongCredentials();
  const version = sessionVersion ?? user.sessionVersion;
  const { token, expiresAt } = signSession(secrets, { userId: id, sessionVersion: version });
  const others = user.memberships.filter(({ organizationId }) => organizationId !== notedIn);
  await noteEverywhere(tx, others, { kind: 'user', id, name: user.email, address }, action, id);
  return { token, session: sessionOf(signedIn(user, expiresAt)) };
}

/** What concerns a user concerns every organization that they belong to. */
async function noteEverywhere(
  tx: Transaction,
  memberships: { organizationId: string }[],
  actor: Actor,
  action: AuditAction,
  userId: string,
): Promise<void> {
  for (const { organizationId } of memberships)
    await recordAudit(tx, { organizationId, actor }, action, { kind: 'user', id: userId });
}

function wrongCredentials(): AppError {
  return new AppError('unauthenticated', 'The e-mail address or the password is not right.');
}
