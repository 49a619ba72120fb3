import { randomBytes } from 'node:crypto';
import type { Context } from '../context.ts';
import { createToken } from '../tokens/create-token.ts';
import { hashPassword } from './password.ts';
import { findFirstOrganization, insertAdmin, insertOrganization, lockOrganizations } from './store.ts';

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

/** The first start's organization, admin and admin token. On a later start it finds them and makes nothing new. */
export async function setUp({ db, secrets }: Context, options: { newToken: boolean }): Promise<SetUp> {
  return db.$transaction(
    async (tx) => {
      await lockOrganizations(tx);
      const found = await findFirstOrganization(tx);
      const organization = found ?? (await insertOrganization(tx, 'default'));
      const result: SetUp = {
        organizationId: organization.id,
        organizationName: organization.name,
        adminEmail,
      };
      if (found === null) {
        result.adminPassword = randomBytes(15).toString('base64url');
        const passwordHash = await hashPassword(result.adminPassword);
        await insertAdmin(tx, { organizationId: organization.id, email: adminEmail, passwordHash });
      }
      if (found === null || options.newToken) {
        const wanted = { organizationId: organization.id, name: 'first start', scope: 'admin' } as const;
        result.token = await createToken(tx, secrets, wanted);
      }
      return result;
    },
    { timeout: 15_000 },
  );
}
