import type { Database } from '../db.ts';
import { settingsOf, type EnvironmentSettings } from '../environments/environment-settings.ts';
import type { JobManner } from '../jobs/steps-of-run.ts';

/** A job that ran lately, or is about to run by its schedule; as its next run would be recorded. */
export interface LikelyJob {
  id: string;
  organizationId: string;
  deploymentId: string;
  commands: string[];
  manner: JobManner;
  environment: EnvironmentSettings;
  /** Runs of it that wait or execute, or were recorded in the last minutes. */
  runs: number;
}

/** Of the newest runs of an organization so many are looked at. */
const newestRuns = 200;
/** Runs that were recorded so long ago count as those of a job that is busy. */
const busySeconds = 120;

/**
 * Jobs of dbt projects that are likely to run soon: those whose schedule comes within `soonSeconds` first, then those that
 * ran within `idleSeconds`, the last one first. Costs the same however many runs there are.
 */
export async function findLikelyJobs(
  db: Database,
  { soonSeconds, idleSeconds, limit }: { soonSeconds: number; idleSeconds: number; limit: number },
): Promise<LikelyJob[]> {
  const rows = await db.$queryRaw<LikelyRow[]>`
    WITH used AS (
      SELECT job_id, max(newest.created_at) AS used_at,
        count(*) FILTER (WHERE status IN ('queued', 'running')
          OR newest.created_at > clock_timestamp() - make_interval(secs => ${busySeconds}::float8))::int AS runs
      FROM organizations CROSS JOIN LATERAL (
        SELECT job_id, created_at, status FROM runs
        WHERE organization_id = organizations.id
          -- Asked for once, so that it is where the reading of the index ends.
          AND created_at > (SELECT clock_timestamp() - make_interval(secs => ${idleSeconds}::float8))
        ORDER BY created_at DESC, id DESC LIMIT ${newestRuns}) AS newest
      GROUP BY job_id),
    due AS (
      SELECT id AS job_id, schedule_next_at AS due_at FROM jobs
      WHERE schedule_next_at < (SELECT clock_timestamp() + make_interval(secs => ${soonSeconds}::float8))
        AND deleted_at IS NULL AND enabled
      ORDER BY schedule_next_at LIMIT ${limit})
    SELECT jobs.id, projects.organization_id AS "organizationId", deployments.id AS "deploymentId", jobs.commands,
      jsonb_build_object('target', jobs.target, 'threads', jobs.threads, 'generateDocs', jobs.generate_docs,
        'generateSources', jobs.generate_sources) AS manner,
      COALESCE(used.runs, 0) AS runs, environments.id AS "environmentId", environments.name,
      environments.runner_image AS "runnerImage", environments.memory_mb AS "memoryMb", environments.cpus,
      environments.network, environments.target, environments.threads,
      environments.timeout_seconds AS "timeoutSeconds", environments.has_data_volume AS "hasDataVolume",
      environments.env_vars AS "envVars", environments.connection
    FROM used FULL JOIN due USING (job_id)
    JOIN jobs ON jobs.id = job_id
    JOIN projects ON projects.id = jobs.project_id
    JOIN environments ON environments.id = jobs.environment_id
    JOIN deployments ON deployments.id = projects.deployment_id
    WHERE jobs.deleted_at IS NULL AND jobs.enabled AND projects.deleted_at IS NULL AND projects.type = 'dbt'
      AND environments.deleted_at IS NULL AND deployments.pruned_at IS NULL
    ORDER BY due.due_at NULLS LAST, used.used_at DESC, jobs.id
    LIMIT ${limit}`;
  return rows.map(
    ({ id, organizationId, deploymentId, commands, manner, runs, environmentId, ...environment }) => ({
      id,
      organizationId,
      deploymentId,
      commands,
      manner,
      runs,
      environment: settingsOf({ ...environment, id: environmentId }),
    }),
  );
}

type LikelyRow = Omit<LikelyJob, 'environment'> & { environmentId: string } & Omit<EnvironmentSettings, 'id'>;
