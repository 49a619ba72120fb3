import { recordAudit } from '../audit/record-audit.ts';
import type { Actor, Context } from '../context.ts';
import { preparePassword } from './ensure-account.ts';
import { findUserByEmail, findUserWithMemberships, updatePassword } from './store.ts';

/** A new password for somebody who lost theirs, and the end of their sessions. Null when nobody has the address. */
export async function resetPassword({ db }: Context, actor: Actor, email: string): Promise<string | null> {
  const { hash, generated } = await preparePassword();
  return db.$transaction(async (tx) => {
    const found = await findUserByEmail(tx, email);
    const user = found && (await findUserWithMemberships(tx, found.id));
    if (user === null) return null;
    await updatePassword(tx, user.id, hash);
    for (const { organizationId } of user.memberships) {
      const subject = { kind: 'user', id: user.id };
      await recordAudit(tx, { organizationId, actor }, 'user.password_changed', subject);
    }
    return generated ?? null;
  });
}
