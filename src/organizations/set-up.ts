import { recordAudit } from '../audit/record-audit.ts';
import type { Context } from '../context.ts';
import { makeInvitation } from '../invitations/make-invitation.ts';
import { createToken } from '../tokens/create-token.ts';
import { ensureAccount, preparePassword } from '../users/ensure-account.ts';
import { countUsers, insertMember } from '../users/store.ts';
import { findFirstOrganization, insertOrganization, lockOrganizations } from './store.ts';

export interface SetUp {
  organizationId: string;
  organizationName: string;
  /** With a password, of an admin who was made just now: it is stored as a hash. */
  adminEmail?: string;
  adminPassword?: string;
  /** The link with which the first admin makes an account, while nobody has one. */
  invitationUrl?: string;
  /** Only when made just now. */
  token?: string;
}

const adminEmail = 'admin@dctl.localhost';
const actor = { kind: 'system', id: null, name: 'first start' } as const;

/**
 * The first start's organization, admin and admin token. On a later start it finds them and makes nothing new.
 *
 * `serverUrl`: where browsers find the server. The admin is then whoever comes with the link that is answered; of several
 * starts before somebody does, the last one's link is good. Where it is not known, an admin with a password is made.
 */
export async function setUp(
  { db, secrets }: Context,
  { newToken, serverUrl }: { newToken: boolean; serverUrl: string | undefined },
): Promise<SetUp> {
  const isFirst = serverUrl === undefined && (await findFirstOrganization(db)) === null;
  const prepared = isFirst ? await preparePassword() : undefined;
  return db.$transaction(
    async (tx) => {
      await lockOrganizations(tx);
      const found = await findFirstOrganization(tx);
      const organization = found ?? (await insertOrganization(tx, 'default'));
      const organizationId = organization.id;
      const asker = { organizationId, actor };
      const result: SetUp = { organizationId, organizationName: organization.name };
      if (found === null) {
        const subject = { kind: 'organization', id: organizationId };
        await recordAudit(tx, asker, 'organization.created', subject, { name: organization.name });
      }
      if (serverUrl !== undefined && (await countUsers(tx)) === 0) {
        const wanted = { email: null, role: 'admin', makesServerAdmin: true, serverUrl } as const;
        result.invitationUrl = (await makeInvitation(tx, secrets, asker, wanted)).url;
      } else if (found === null) {
        const account = await ensureAccount(tx, adminEmail, prepared ?? (await preparePassword()), {
          isServerAdmin: true,
        });
        await insertMember(tx, { organizationId, userId: account.userId, role: 'admin' });
        result.adminEmail = adminEmail;
        if (account.password !== undefined) result.adminPassword = account.password;
      }
      if (found === null || newToken) {
        const wanted = { organizationId, name: 'first start', scope: 'admin' } as const;
        const made = await createToken(tx, secrets, { ...wanted, createdBy: actor.name });
        const subject = { kind: 'token', id: made.stored.id };
        await recordAudit(tx, asker, 'token.created', subject, { name: wanted.name, scope: wanted.scope });
        result.token = made.token;
      }
      return result;
    },
    { timeout: 15_000 },
  );
}
