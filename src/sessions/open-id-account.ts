import { recordAudit } from '../audit/record-audit.ts';
import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import { ensureAccount, preparePassword, type PreparedPassword } from '../users/ensure-account.ts';
import {
  findFirstOrganizationId,
  findUserByEmail,
  findUserOfIdentity,
  insertIdentity,
  insertMember,
} from '../users/store.ts';
import type { Identity, OpenIdRefusal } from './open-id.ts';
import { beginSession, type Begun } from './sessions.ts';

/**
 * A session for whoever the provider says is there. Somebody that the server does not know gets an account where their
 * e-mail address is of a domain that the settings allow; for all others an admin makes one, or invites them.
 */
export async function signInWith(
  context: Context,
  address: string,
  identity: Identity,
): Promise<Begun | { refused: OpenIdRefusal }> {
  const { db } = context;
  const known = await findUserOfIdentity(db, identity);
  if (known !== null) {
    return db.$transaction((tx) => beginSession(context, tx, { id: known, address }, 'session.started'));
  }
  const { email } = identity;
  // Anybody can write any address into their account somewhere.
  if (email === undefined || !identity.isEmailVerified) return { refused: 'unverified' };
  const owner = await findUserByEmail(db, email);
  if (owner === null && !isAllowed(context, email)) return { refused: 'unknown' };
  const prepared = await preparePassword();

  return db.$transaction(async (tx) => {
    const id = owner?.id ?? (await newMember(context, tx, { email, address, prepared }));
    await insertIdentity(tx, { ...identity, userId: id });
    // Of an account that was there: from now on there is another way into it.
    const action = owner === null ? 'session.started' : 'user.identity_linked';
    return beginSession(context, tx, { id, address }, action);
  });
}

function isAllowed({ config }: Context, email: string): boolean {
  return config.DCTL_OIDC_ALLOWED_DOMAINS.includes(email.slice(email.lastIndexOf('@') + 1));
}

/** With a password that nobody knows: one may be given them from a shell on the server. */
async function newMember(
  { config }: Context,
  tx: Transaction,
  { email, address, prepared }: { email: string; address: string; prepared: PreparedPassword },
): Promise<string> {
  const { userId, isNew } = await ensureAccount(tx, email, prepared);
  // It was made meanwhile: by this very person, or by somebody who says themselves where it belongs.
  if (!isNew) return userId;
  const organizationId = config.DCTL_OIDC_ORGANIZATION_ID ?? (await findFirstOrganizationId(tx));
  if (organizationId === null) return userId;
  const role = config.DCTL_OIDC_ROLE;
  await insertMember(tx, { organizationId, userId, role });
  const asker = { organizationId, actor: { kind: 'user', id: userId, name: email, address } } as const;
  const facts = { email, role, through: 'open-id' };
  await recordAudit(tx, asker, 'user.added', { kind: 'user', id: userId }, facts);
  return userId;
}
