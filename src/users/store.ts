import { randomUUID } from 'node:crypto';
import type { Role } from '../scopes.ts';
import type { Database, Transaction } from '../db.ts';
import type { Position } from '../paging.ts';

const withEmail = { include: { user: { select: { email: true } } } } as const;

export function listMembers(
  db: Database,
  organizationId: string,
  after: Position | undefined,
  limit: number,
) {
  return db.membership.findMany({
    where: {
      organizationId,
      ...(after === undefined
        ? {}
        : {
            OR: [
              { createdAt: { gt: after.createdAt } },
              { createdAt: after.createdAt, userId: { gt: after.id } },
            ],
          }),
    },
    orderBy: [{ createdAt: 'asc' }, { userId: 'asc' }],
    take: limit,
    ...withEmail,
  });
}

export function findMember(db: Database | Transaction, organizationId: string, userId: string) {
  return db.membership.findUnique({
    where: { organizationId_userId: { organizationId, userId } },
    ...withEmail,
  });
}

export function insertMember(
  tx: Transaction,
  member: { organizationId: string; userId: string; role: Role },
) {
  return tx.membership.create({ data: member, ...withEmail });
}

export function updateRole(tx: Transaction, organizationId: string, userId: string, role: Role) {
  return tx.membership.update({
    where: { organizationId_userId: { organizationId, userId } },
    data: { role },
    ...withEmail,
  });
}

export async function deleteMember(tx: Transaction, organizationId: string, userId: string): Promise<void> {
  await tx.membership.delete({
    where: { organizationId_userId: { organizationId, userId } },
    select: { userId: true },
  });
}

export function countAdmins(tx: Transaction, organizationId: string): Promise<number> {
  return tx.membership.count({ where: { organizationId, role: 'admin' } });
}

/** Changes of who belongs to an organization happen one at a time. The lock ends with the transaction. */
export async function lockMembers(tx: Transaction, organizationId: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM organizations WHERE id = ${organizationId} FOR NO KEY UPDATE`;
}

const account = { id: true, email: true, passwordHash: true, sessionVersion: true } as const;

export function findUserByEmail(db: Database | Transaction, email: string) {
  return db.user.findUnique({ where: { email }, select: account });
}

export function getUserByEmail(tx: Transaction, email: string) {
  return tx.user.findUniqueOrThrow({ where: { email }, select: { id: true } });
}

export function findUser(db: Database | Transaction, id: string) {
  return db.user.findUnique({ where: { id }, select: account });
}

/** False when the server knows the e-mail address. */
export async function insertUser(
  tx: Transaction,
  user: { email: string; passwordHash: string; isServerAdmin: boolean },
): Promise<boolean> {
  const { count } = await tx.user.createMany({ data: { id: randomUUID(), ...user }, skipDuplicates: true });
  return count === 1;
}

/** They may make further organizations from now on. */
export async function makeServerAdmin(tx: Transaction, id: string): Promise<void> {
  await tx.user.update({ where: { id }, data: { isServerAdmin: true }, select: { id: true } });
}

export function countUsers(tx: Transaction): Promise<number> {
  return tx.user.count();
}

/** Whose account somebody that a provider knows has here. */
export async function findUserOfIdentity(
  db: Database,
  { issuer, subject }: { issuer: string; subject: string },
): Promise<string | null> {
  const found = await db.userIdentity.findUnique({ where: { issuer_subject: { issuer, subject } } });
  return found?.userId ?? null;
}

export async function insertIdentity(
  tx: Transaction,
  { issuer, subject, userId }: { issuer: string; subject: string; userId: string },
): Promise<void> {
  await tx.userIdentity.createMany({ data: { issuer, subject, userId }, skipDuplicates: true });
}

/** The organization of the first start. */
export async function findFirstOrganizationId(tx: Transaction): Promise<string | null> {
  const found = await tx.organization.findFirst({ orderBy: { createdAt: 'asc' }, select: { id: true } });
  return found?.id ?? null;
}

/** With the organizations they belong to, oldest membership first. */
export function findUserWithMemberships(db: Database | Transaction, id: string) {
  return db.user.findUnique({
    where: { id },
    include: {
      memberships: {
        orderBy: [{ createdAt: 'asc' }, { organizationId: 'asc' }],
        select: { organizationId: true, role: true, organization: { select: { name: true } } },
      },
    },
  });
}

/** Ends every session of the user. False when the password is no longer the one whose hash is given. */
export async function updatePassword(
  tx: Transaction,
  id: string,
  passwordHash: string,
  insteadOf?: string,
): Promise<boolean> {
  const { count } = await tx.user.updateMany({
    where: { id, ...(insteadOf === undefined ? {} : { passwordHash: insteadOf }) },
    data: { passwordHash, sessionVersion: { increment: 1 } },
  });
  return count === 1;
}

/** Ends every session of the user. */
export async function raiseSessionVersion(db: Database | Transaction, id: string): Promise<void> {
  await db.user.updateMany({ where: { id }, data: { sessionVersion: { increment: 1 } } });
}
