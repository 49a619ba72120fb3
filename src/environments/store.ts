import { Prisma, type Database, type Transaction } from '../db.ts';
import { newerThan, type Position } from '../paging.ts';
import type { Connection } from './connection.ts';

/** An environment as it is stored. `connectionSecrets` is sealed. */
export interface EnvironmentFields {
  name: string;
  runnerImage: string | null;
  target: string | null;
  threads: number | null;
  envVars: Record<string, string>;
  timeoutSeconds: number | null;
  memoryMb: number | null;
  cpus: number | null;
  network: string | null;
  hasDataVolume: boolean;
  connection: Connection | null;
  connectionSecrets: string | null;
}

const live = { deletedAt: null } as const;

/** Environments of a project that is there, oldest first: the first one is `production`, which every project has. */
export function listEnvironments(
  db: Database | Transaction,
  organizationId: string,
  projectId: string,
  page: { after?: Position | undefined; limit?: number } = {},
) {
  return db.environment.findMany({
    where: { projectId, ...live, project: { organizationId, ...live }, ...newerThan(page.after) },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    ...(page.limit !== undefined && { take: page.limit }),
  });
}

export function findEnvironment(
  db: Database | Transaction,
  key: { organizationId: string; projectId: string; id: string },
) {
  const { organizationId, projectId, id } = key;
  return db.environment.findFirst({
    where: { id, projectId, ...live, project: { organizationId, ...live } },
  });
}

/** With the names of its secrets and what they are sealed in. */
export function findSealedSecrets(db: Database, id: string) {
  return db.environment.findUnique({
    where: { id },
    select: { connectionSecrets: true, secrets: { select: { name: true, value: true } } },
  });
}

/** Null: there is no such project. */
export async function findProjectType(
  db: Database | Transaction,
  organizationId: string,
  id: string,
): Promise<string | null> {
  const project = await db.project.findFirst({
    where: { id, organizationId, ...live },
    select: { type: true },
  });
  return project?.type ?? null;
}

/** Changes of one environment and its secrets happen one at a time. The lock ends with the transaction. */
export async function lockEnvironment(tx: Transaction, id: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM environments WHERE id = ${id} FOR UPDATE`;
}

/** False when it is deleted. Until the transaction ends it is not deleted, so a job may name it. */
export async function holdEnvironment(tx: Database | Transaction, id: string): Promise<boolean> {
  const held = await tx.$queryRaw<unknown[]>`
    SELECT id FROM environments WHERE id = ${id} AND deleted_at IS NULL FOR KEY SHARE`;
  return held.length > 0;
}

export function insertEnvironment(tx: Transaction, id: string, projectId: string, fields: EnvironmentFields) {
  return tx.environment.create({ data: { id, projectId, ...columnsOf(fields) } });
}

export function updateEnvironment(tx: Transaction, id: string, fields: EnvironmentFields) {
  return tx.environment.update({ where: { id }, data: columnsOf(fields) });
}

/** Runs keep pointing at it; nothing else finds it any more. Its secrets are gone. */
export async function markEnvironmentDeleted(tx: Transaction, id: string): Promise<void> {
  await tx.environmentSecret.deleteMany({ where: { environmentId: id } });
  await tx.environment.update({
    where: { id },
    data: { deletedAt: new Date(), connectionSecrets: null },
    select: { id: true },
  });
}

/** Those of a project's environments and of their connections. */
export async function removeSecretsOfProject(tx: Transaction, projectId: string): Promise<void> {
  await tx.environmentSecret.deleteMany({ where: { environment: { projectId } } });
  await tx.environment.updateMany({ where: { projectId }, data: { connectionSecrets: null } });
}

/** Jobs that are not deleted and name it. */
export function countJobs(tx: Transaction, environmentId: string): Promise<number> {
  return tx.job.count({ where: { environmentId, ...live } });
}

const secretFields = { name: true, updatedAt: true, updatedBy: true } as const;

/** Without their values. */
export function listSecrets(db: Database | Transaction, environmentId: string) {
  return db.environmentSecret.findMany({
    where: { environmentId },
    orderBy: { name: 'asc' },
    select: secretFields,
  });
}

export function putSecret(
  tx: Transaction,
  secret: { environmentId: string; name: string; value: string; updatedBy: string },
) {
  const { environmentId, name, value, updatedBy } = secret;
  return tx.environmentSecret.upsert({
    where: { environmentId_name: { environmentId, name } },
    create: secret,
    update: { value, updatedBy, updatedAt: new Date() },
    select: secretFields,
  });
}

/** False when there is none of this name. */
export async function removeSecret(tx: Transaction, environmentId: string, name: string): Promise<boolean> {
  const { count } = await tx.environmentSecret.deleteMany({ where: { environmentId, name } });
  return count === 1;
}

function columnsOf({ connection, ...fields }: EnvironmentFields) {
  return {
    ...fields,
    connection: connection === null ? Prisma.DbNull : (connection as Prisma.InputJsonObject),
  };
}
