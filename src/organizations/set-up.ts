import { recordAudit } from '../audit/record-audit.ts';
import type { Context } from '../context.ts';
import { createToken } from '../tokens/create-token.ts';
import { ensureAccount, preparePassword } from '../users/ensure-account.ts';
import { insertMember } from '../users/store.ts';
import { findFirstOrganization, insertOrganization, lockOrganizations } from './store.ts';

export interface SetUp {
  organizationId: string;
  organizationName: string;
  adminEmail: string;
  /** Only when the admin was made just now: it is stored as a hash. */
  adminPassword?: string;
  /** Only when made just now. */
  token?: string;
}

const adminEmail = 'admin@dctl.localhost';
const actor = { kind: 'system', id: null, name: 'first start' } as const;

/** The first start's organization, admin and admin token. On a later start it finds them and makes nothing new. */
export async function setUp({ db, secrets }: Context, options: { newToken: boolean }): Promise<SetUp> {
  const prepared = (await findFirstOrganization(db)) === null ? await preparePassword() : undefined;
  return db.$transaction(
    async (tx) => {
      await lockOrganizations(tx);
      const found = await findFirstOrganization(tx);
      const organization = found ?? (await insertOrganization(tx, 'default'));
      const organizationId = organization.id;
      const asker = { organizationId, actor };
      const result: SetUp = { organizationId, organizationName: organization.name, adminEmail };
      if (found === null) {
        const account = await ensureAccount(tx, adminEmail, prepared ?? (await preparePassword()), {
          isServerAdmin: true,
        });
        await insertMember(tx, { organizationId, userId: account.userId, role: 'admin' });
        if (account.password !== undefined) result.adminPassword = account.password;
        const subject = { kind: 'organization', id: organizationId };
        await recordAudit(tx, asker, 'organization.created', subject, { name: organization.name });
      }
      if (found === null || options.newToken) {
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
