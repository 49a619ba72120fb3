import type { z } from 'zod';
import type { Database, Transaction } from '../db.ts';
import type { preparationView } from './schema.ts';
import { listPreparations, type PreparationRow } from './store.ts';

type PreparationView = z.input<typeof preparationView>;

/** What is prepared of each of the deployments, or is going to be. */
export async function preparationsOf(
  db: Database | Transaction,
  deploymentIds: string[],
  { withOutput }: { withOutput: boolean },
): Promise<(deploymentId: string) => PreparationView[]> {
  const rows = await listPreparations(db, deploymentIds);
  const byDeployment = Map.groupBy(rows, (row) => row.deploymentId);
  return (id) => (byDeployment.get(id) ?? []).map((row) => view(row, withOutput));
}

function view(row: PreparationRow, withOutput: boolean): PreparationView {
  return {
    environment_id: row.environmentId,
    environment: row.environment,
    options: row.options,
    state: row.state,
    error_message: row.state === 'failed' ? row.errorMessage : null,
    ...(withOutput && { output: row.output ?? '' }),
    requested_at: row.requestedAt.toISOString(),
    finished_at: row.finishedAt?.toISOString() ?? null,
    dbt_version: row.dbtVersion,
  };
}
