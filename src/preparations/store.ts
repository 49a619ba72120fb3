import { randomUUID } from 'node:crypto';
import { Prisma, type Database, type Transaction } from '../db.ts';

/** What is prepared once: a deployment, for an environment and the options that parsing depends on. */
export interface PreparationKey {
  deploymentId: string;
  environmentId: string;
  options: string[];
}

/**
 * `missing`: where there is none yet. `changed`: where what it was made with may have changed; if it has not, it stays.
 * `anew`: in any case.
 */
export type Wanted = 'missing' | 'changed' | 'anew';

/** Its id when it waits now and did not before. One that waits, or is at work, is left as it is. */
export async function insertOrReset(
  db: Database | Transaction,
  { deploymentId, environmentId, options }: PreparationKey,
  wanted: Wanted,
): Promise<string | null> {
  const again = Prisma.sql`DO UPDATE SET
      state = 'pending', attempts = 0, requested_at = clock_timestamp(),
      parsed_with = CASE WHEN ${wanted === 'anew'} THEN NULL ELSE preparations.parsed_with END
    WHERE preparations.state IN ('ready', 'failed')`;
  const [row] = await db.$queryRaw<{ id: string }[]>`
    INSERT INTO preparations (id, deployment_id, environment_id, options, state)
    SELECT ${randomUUID()}, id, ${environmentId}, ${options}::text[], 'pending' FROM deployments
    WHERE id = ${deploymentId} AND pruned_at IS NULL
    ON CONFLICT (deployment_id, environment_id, options) ${wanted === 'missing' ? Prisma.sql`DO NOTHING` : again}
    RETURNING id`;
  return row?.id ?? null;
}

export interface FoundPreparation {
  id: string;
  deploymentId: string;
  state: 'pending' | 'preparing' | 'ready' | 'failed';
  /** Whether it was made for the very options. */
  isExact: boolean;
  parsedWith: string | null;
  digest: string | null;
  hasManifest: boolean;
}

/**
 * What there is of a deployment and environment: with these options, or else with none or others, whose packages serve
 * as well. `options`: null when nothing is prepared for the command.
 */
export async function findPreparation(
  db: Database,
  { deploymentId, environmentId, options }: Omit<PreparationKey, 'options'> & { options: string[] | null },
): Promise<FoundPreparation | null> {
  const [found] = await db.$queryRaw<FoundPreparation[]>`
    SELECT id, deployment_id AS "deploymentId", state, digest, parsed_with AS "parsedWith",
      has_manifest AS "hasManifest", COALESCE(options = ${options}::text[], false) AS "isExact"
    FROM preparations
    WHERE deployment_id = ${deploymentId} AND environment_id = ${environmentId}
    ORDER BY "isExact" DESC, digest IS NULL, cardinality(options), id
    LIMIT 1`;
  return found ?? null;
}

export interface PreparationRow {
  deploymentId: string;
  environmentId: string;
  environment: string;
  options: string[];
  state: FoundPreparation['state'];
  errorMessage: string | null;
  output: string | null;
  requestedAt: Date;
  finishedAt: Date | null;
  dbtVersion: string | null;
}

/** Oldest environments first, and of each the one without options. */
export function listPreparations(
  db: Database | Transaction,
  deploymentIds: string[],
): Promise<PreparationRow[]> {
  return db.$queryRaw<PreparationRow[]>`
    SELECT p.deployment_id AS "deploymentId", p.environment_id AS "environmentId", e.name AS environment,
      p.options, p.state, p.error_message AS "errorMessage", p.output, p.requested_at AS "requestedAt",
      p.finished_at AS "finishedAt", p.dbt_version AS "dbtVersion"
    FROM preparations p JOIN environments e ON e.id = p.environment_id
    WHERE p.deployment_id = ANY (${deploymentIds})
    ORDER BY e.created_at, e.id, cardinality(p.options), p.options`;
}

/** Those that wait for longer than `seconds`, or whose worker's lease has run out: nobody rings for them any more. */
export async function findForgottenPreparations(db: Database, seconds: number): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT id FROM preparations
    WHERE (state = 'pending' AND requested_at < clock_timestamp() - make_interval(secs => ${seconds}))
      OR (state = 'preparing' AND lease_expires_at < clock_timestamp())
    ORDER BY requested_at LIMIT 100`;
  return rows.map(({ id }) => id);
}

/** Those of the ids that are being prepared now, each with the token of its lease. */
export async function findLiveLeases(db: Database, ids: string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db.$queryRaw<{ id: string; token: string }[]>`
    SELECT id, lease_token AS token FROM preparations
    WHERE id = ANY (${ids}) AND state = 'preparing' AND lease_expires_at >= clock_timestamp()`;
  return new Map(rows.map(({ id, token }) => [id, token]));
}

/** The digest of what is stored of it. Null: nothing is. */
export async function findStoredDigest(db: Database, id: string): Promise<string | null> {
  const row = await db.preparation.findUnique({ where: { id }, select: { digest: true } });
  return row?.digest ?? null;
}

/** Of deployments whose files are removed: nothing is prepared of them any more, and nothing of it is there. */
export async function forgetPrepared(tx: Transaction, deploymentIds: string[]): Promise<void> {
  await tx.$executeRaw`
    UPDATE preparations SET
      error_message = CASE WHEN state IN ('pending', 'preparing')
        THEN 'The deployment''s files were removed.' ELSE error_message END,
      finished_at = CASE WHEN state IN ('pending', 'preparing') THEN clock_timestamp() ELSE finished_at END,
      state = CASE WHEN state IN ('pending', 'preparing') THEN 'failed' ELSE state END,
      digest = NULL, size_bytes = NULL, has_manifest = false, parsed_with = NULL,
      lease_token = NULL, lease_expires_at = NULL
    WHERE deployment_id = ANY (${deploymentIds})`;
}
