import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Actor, Caller, Context, Principal } from '../context.ts';
import { unlessTaken } from '../db.ts';
import { AppError } from '../errors.ts';
import { ensureAccount, preparePassword } from '../users/ensure-account.ts';
import { insertMember } from '../users/store.ts';
import type {
  createdOrganization,
  newOrganization,
  organizationChange,
  organizationList,
  organizationView,
} from './schema.ts';
import {
  findOrganizations,
  getOrganizationById,
  insertOrganization,
  lockOrganization,
  updateOrganization,
} from './store.ts';

/** Those that the caller belongs to, oldest first: all of them on one page. */
export async function organizationsOf(
  { db }: Context,
  caller: Caller,
): Promise<z.input<typeof organizationList>> {
  const ids =
    caller.kind === 'token'
      ? [caller.principal.organizationId]
      : caller.user.memberships.map(({ organizationId }) => organizationId);
  return { data: (await findOrganizations(db, ids)).map(view), next_cursor: null };
}

export async function getOrganization({ db }: Context, principal: Principal, id: string) {
  requireOwn(principal, id);
  return view(await getOrganizationById(db, id));
}

export async function changeOrganization(
  { db }: Context,
  principal: Principal,
  id: string,
  { name, retention_days: retentionDays }: z.output<typeof organizationChange>,
): Promise<z.input<typeof organizationView>> {
  requireOwn(principal, id);
  return named(() =>
    db.$transaction(async (tx) => {
      await lockOrganization(tx, id);
      const before = await getOrganizationById(tx, id);
      const changed = await updateOrganization(tx, id, {
        ...(name === undefined ? {} : { name }),
        ...(retentionDays === undefined ? {} : { retentionDays }),
      });
      const facts = {
        ...(changed.name === before.name ? {} : { name: changed.name, name_before: before.name }),
        ...(changed.retentionDays === before.retentionDays
          ? {}
          : { retention_days: changed.retentionDays, retention_days_before: before.retentionDays }),
      };
      if (Object.keys(facts).length > 0)
        await recordAudit(tx, principal, 'organization.changed', { kind: 'organization', id }, facts);
      return view(changed);
    }),
  );
}

/** With its first admin, for whom an account is made when the server does not know the e-mail address. */
export async function createOrganization(
  { db }: Context,
  actor: Actor,
  { name, admin_email: email }: z.output<typeof newOrganization>,
): Promise<z.input<typeof createdOrganization>> {
  const prepared = await preparePassword();
  return named(() =>
    db.$transaction(async (tx) => {
      const organization = await insertOrganization(tx, name);
      const { userId, isNew, password } = await ensureAccount(tx, email, prepared);
      await insertMember(tx, { organizationId: organization.id, userId, role: 'admin' });
      const asker = { organizationId: organization.id, actor };
      const facts = { name, admin_email: email };
      const subject = { kind: 'organization', id: organization.id };
      await recordAudit(tx, asker, 'organization.created', subject, facts);
      const admin = { id: userId, email, is_new: isNew, ...(password === undefined ? {} : { password }) };
      return { ...view(organization), admin };
    }),
  );
}

function requireOwn(principal: Principal, id: string): void {
  if (principal.organizationId === id) return;
  throw new AppError('not_found', 'There is no such organization.');
}

const nameTaken = 'This name is taken. Choose another name.';
const named = unlessTaken(nameTaken, [{ pointer: '/name', detail: nameTaken }]);

function view(
  organization: Awaited<ReturnType<typeof getOrganizationById>>,
): z.input<typeof organizationView> {
  return {
    id: organization.id,
    name: organization.name,
    retention_days: organization.retentionDays,
    created_at: organization.createdAt.toISOString(),
  };
}
