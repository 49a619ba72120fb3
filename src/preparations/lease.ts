import { randomUUID } from 'node:crypto';
import { announceRunChange } from '../changes.ts';
import { projectTypeOf, type ProjectType } from '../commands/project-type.ts';
import { Prisma, type Database } from '../db.ts';
import { settingsOf, type EnvironmentSettings } from '../environments/environment-settings.ts';

/** What is announced when a preparation has ended, in place of a run's id. */
export const preparationsChanged = 'preparations';

/** After so many tries that the engine spoiled a preparation has failed. */
export const maxAttempts = 3;

/** A worker's right to prepare. Whoever has lost it changes nothing any more. All times are the database's. */
export interface PreparationLease {
  preparationId: string;
  token: string;
}

export interface ClaimedPreparation {
  lease: PreparationLease;
  id: string;
  deploymentId: string;
  organizationId: string;
  installationId: string;
  projectType: ProjectType;
  /** As it is now. */
  environment: EnvironmentSettings;
  options: string[];
  /** This one included. */
  attempts: number;
  /** What it was made with the last time, and whether it came to a manifest then. */
  parsedWith: string | null;
  hasManifest: boolean;
}

interface ClaimedRow {
  deploymentId: string;
  environmentId: string;
  attempts: number;
  options: string[];
  parsedWith: string | null;
  hasManifest: boolean;
}

/** Null: nobody waits for it any more, or another worker has it. */
export async function claimPreparation(
  db: Database,
  id: string,
  leaseSeconds: number,
): Promise<ClaimedPreparation | null> {
  const token = randomUUID();
  const [row] = await db.$queryRaw<ClaimedRow[]>`
    UPDATE preparations SET
      state = 'preparing',
      attempts = attempts + 1,
      started_at = clock_timestamp(),
      finished_at = NULL,
      lease_token = ${token},
      lease_expires_at = clock_timestamp() + make_interval(secs => ${leaseSeconds})
    WHERE id = ${id} AND (state = 'pending' OR (state = 'preparing' AND lease_expires_at < clock_timestamp()))
    RETURNING deployment_id AS "deploymentId", environment_id AS "environmentId", attempts, options,
      parsed_with AS "parsedWith", has_manifest AS "hasManifest"`;
  if (row === undefined) return null;
  const { environmentId, ...columns } = row;
  const [deployment, environment, installation] = await Promise.all([
    db.deployment.findUniqueOrThrow({ where: { id: row.deploymentId }, include: { project: true } }),
    db.environment.findUniqueOrThrow({ where: { id: environmentId } }),
    db.$queryRaw<{ id: string }[]>`SELECT id FROM installation`,
  ]);
  return {
    ...columns,
    lease: { preparationId: id, token },
    id,
    organizationId: deployment.project.organizationId,
    installationId: installation[0]!.id,
    projectType: projectTypeOf(deployment.project.type),
    environment: settingsOf(environment),
  };
}

/** False: the lease is no longer this worker's. */
export async function renewPreparation(
  db: Database,
  { preparationId, token }: PreparationLease,
  leaseSeconds: number,
): Promise<boolean> {
  const renewed = await db.$executeRaw`
    UPDATE preparations SET lease_expires_at = clock_timestamp() + make_interval(secs => ${leaseSeconds})
    WHERE id = ${preparationId} AND lease_token = ${token}`;
  return renewed > 0;
}

/** How it went. The texts are for people, and masked. */
export type PreparationEnd =
  | ({
      kind: 'ready';
      /** What is stored. */
      files: { digest: string; sizeBytes: number };
      hasManifest: boolean;
    } & Told)
  | ({ kind: 'failed'; why: string } & Told)
  /** It is as it was made before. */
  | { kind: 'unchanged' }
  /** It came to nothing for reasons that may have passed by the next time. `counts`: whether it was a try. */
  | { kind: 'again'; why: string; counts: boolean };

interface Told {
  parsedWith: string | null;
  dbtVersion: string | null;
  /** The end of what dbt printed. */
  output: string;
}

/** Ends a preparation, or lets it wait once more. False: the lease is lost, and nothing has changed. */
export async function settlePreparation(
  db: Database,
  lease: PreparationLease,
  end: PreparationEnd,
): Promise<boolean> {
  const settled = await db.$executeRaw`
    UPDATE preparations SET ${changesOf(end)}, lease_token = NULL, lease_expires_at = NULL
    WHERE id = ${lease.preparationId} AND lease_token = ${lease.token}`;
  if (settled === 0) return false;
  await announceRunChange(db, preparationsChanged);
  return true;
}

function changesOf(end: PreparationEnd): Prisma.Sql {
  switch (end.kind) {
    case 'ready':
      return Prisma.sql`state = 'ready', error_message = NULL, ${told(end)}, has_manifest = ${end.hasManifest},
        digest = ${end.files.digest}, size_bytes = ${end.files.sizeBytes}`;
    case 'failed':
      return Prisma.sql`state = 'failed', error_message = ${end.why}, ${told(end)}, has_manifest = false,
        digest = NULL, size_bytes = NULL`;
    case 'unchanged':
      return Prisma.sql`state = 'ready', error_message = NULL, finished_at = clock_timestamp()`;
    case 'again':
      // From now on: whoever looks for what is forgotten rings after some time.
      return Prisma.sql`state = 'pending', error_message = ${end.why}, requested_at = clock_timestamp(),
        attempts = attempts - ${end.counts ? 0 : 1}`;
  }
}

function told({ parsedWith, dbtVersion, output }: Told): Prisma.Sql {
  return Prisma.sql`parsed_with = ${parsedWith}, dbt_version = ${dbtVersion}, output = ${output},
    finished_at = clock_timestamp()`;
}
