import type { EnvironmentSettings } from '../../src/environments/environment-settings.ts';
import type { ClaimedRun } from '../../src/runs/lease.ts';
import { metadataVariable } from '../../src/runs/metadata-variable.ts';
import { reasonOf } from '../../src/webhooks/run-event.ts';

/** What dbt writes into its results of these is the rest of their name, and their value. */
const inResults = 'DBT_ENV_CUSTOM_ENV_';
const numbered = ['ACCOUNT', 'PROJECT', 'ENVIRONMENT', 'JOB', 'RUN'] as const;

/**
 * The environment variables that tell a run's project of the run itself. Those that dbt Cloud has are named as there.
 */
export function runVariables({ id, numbers, cause, metadata, ...run }: ClaimedRun): Record<string, string> {
  const variables: Record<string, string> = {
    DCTL_RUN_ID: id,
    DBT_CLOUD_RUN_REASON: reasonOf({ cause, ...run }),
    DBT_CLOUD_RUN_REASON_CATEGORY: run.triggeredBy === 'schedule' ? 'scheduled' : 'other',
  };
  for (const thing of numbered) {
    const name = `DBT_CLOUD_${thing}_ID`;
    variables[name] = String(numbers[thing]);
    if (thing !== 'ENVIRONMENT') variables[inResults + name] = variables[name];
  }
  if (cause !== null) variables['DCTL_CAUSE'] = cause;
  for (const [name, value] of Object.entries(metadata ?? {})) {
    variables[metadataVariable(name)] = String(value);
  }
  return variables;
}

/** Those that are the same for every run of an environment. Its own variables may say otherwise. */
export function environmentVariables({ name }: EnvironmentSettings): Record<string, string> {
  return { DBT_CLOUD_ENVIRONMENT_NAME: name, DBT_CLOUD_INVOCATION_CONTEXT: 'prod' };
}

/** What a project is parsed with ahead of its runs: each holds `mark`, which is found in what depends on one of them. */
export function variablesOfAnyRun(mark: string): Record<string, string> {
  const names = ['RUN_REASON', 'RUN_REASON_CATEGORY', ...numbered.map((thing) => `${thing}_ID`)];
  return Object.fromEntries(
    ['DCTL_RUN_ID', ...names.map((name) => `DBT_CLOUD_${name}`)].map((name) => [name, mark]),
  );
}
