import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context, Principal } from '../context.ts';
import type { Role } from '../scopes.ts';
import { unlessTaken, type Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import { ensureAccount, preparePassword } from './ensure-account.ts';
import type { addedUser, newUser, userList, userView } from './schema.ts';
import {
  countAdmins,
  deleteMember,
  findMember,
  insertMember,
  listMembers,
  lockMembers,
  updateRole,
} from './store.ts';

type Asker = Pick<Principal, 'organizationId' | 'actor'>;

/** The organization's people, in the order they were added. */
export async function usersOf(
  { db }: Context,
  { organizationId }: Principal,
  page: { limit: number; cursor?: string | undefined },
): Promise<z.input<typeof userList>> {
  const rows = await listMembers(db, organizationId, decodeCursor(page.cursor), page.limit + 1);
  return pageOf(
    rows.map((row) => ({ ...row, id: row.userId })),
    page.limit,
    view,
  );
}

/** Makes somebody a member. An account is theirs alone: one that the server knows stays as it is. */
export async function addUser(
  { db }: Context,
  asker: Asker,
  wanted: z.output<typeof newUser>,
): Promise<z.input<typeof addedUser>> {
  const prepared = await preparePassword(wanted.password);
  return added(() =>
    db.$transaction(async (tx) => {
      const { organizationId } = asker;
      const { userId, isNew, password } = await ensureAccount(tx, wanted.email, prepared);
      const member = await insertMember(tx, { organizationId, userId, role: wanted.role });
      const facts = { email: wanted.email, role: wanted.role };
      await recordAudit(tx, asker, 'user.added', { kind: 'user', id: userId }, facts);
      return { ...view(member), is_new: isNew, ...(password === undefined ? {} : { password }) };
    }),
  );
}

const added = unlessTaken(
  'Somebody with this e-mail address is in the organization: change their role instead.',
);

export async function changeUser(
  { db }: Context,
  asker: Asker,
  userId: string,
  { role }: { role: Role },
): Promise<z.input<typeof userView>> {
  return db.$transaction(async (tx) => {
    const { organizationId } = asker;
    const { member, isLastAdmin } = await lockedMember(tx, organizationId, userId);
    if (role === member.role) return view(member);
    if (isLastAdmin) throw lastAdmin('Give somebody else the role first.');
    const changed = await updateRole(tx, organizationId, userId, role);
    const facts = { email: member.user.email, role, role_before: member.role };
    await recordAudit(tx, asker, 'user.changed', { kind: 'user', id: userId }, facts);
    return view(changed);
  });
}

/** They keep their account, and what they belong to elsewhere. */
export async function removeUser({ db }: Context, asker: Asker, userId: string): Promise<void> {
  await db.$transaction(async (tx) => {
    const { organizationId } = asker;
    const { member, isLastAdmin } = await lockedMember(tx, organizationId, userId);
    if (isLastAdmin) throw lastAdmin('Make somebody else an admin first.');
    await deleteMember(tx, organizationId, userId);
    const facts = { email: member.user.email };
    await recordAudit(tx, asker, 'user.removed', { kind: 'user', id: userId }, facts);
  });
}

async function lockedMember(tx: Transaction, organizationId: string, userId: string) {
  await lockMembers(tx, organizationId);
  const member = await findMember(tx, organizationId, userId);
  if (member === null) throw new AppError('not_found', 'There is no such user.');
  return { member, isLastAdmin: member.role === 'admin' && (await countAdmins(tx, organizationId)) === 1 };
}

function lastAdmin(remedy: string): AppError {
  return new AppError('conflict', `This is the organization's last admin. ${remedy}`);
}

function view(member: NonNullable<Awaited<ReturnType<typeof findMember>>>): z.input<typeof userView> {
  return {
    id: member.userId,
    email: member.user.email,
    role: member.role as Role,
    added_at: member.createdAt.toISOString(),
  };
}
