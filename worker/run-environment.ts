import type { Context } from '../src/context.ts';
import { storedConnection } from '../src/environments/connection.ts';
import { openRunSecrets } from '../src/environments/run-secrets.ts';
import type { ClaimedRun } from '../src/runs/lease.ts';
import { generatedProfile, targetName, type GeneratedProfile } from './dbt/profile.ts';
import { workFolder } from './dbt/container-spec.ts';
import { restoreResults } from './restore-results.ts';
import { createMask, type Mask } from './masking.ts';

/** What a run's container gets besides the project, made when it is about to start: there are secrets in it. */
export interface RunEnvironment {
  /** Environment variables of dbt's process. They go to the shim on stdin, where `docker inspect` does not see them. */
  variables: Record<string, string>;
  /** Files below the work folder: a generated profile, the results that a retry goes on from. They hold no secret. */
  files: { path: string; content: string }[];
  mask: Mask;
}

/** Where a generated profile is put, below the work folder. */
const profilesFolder = '.dctl/profiles';

/**
 * Opens the secrets that the run's environment has now; its other settings are those the run was recorded with.
 * `problem`: why the run can't be started, for users.
 */
export async function openEnvironment(
  context: Context,
  run: ClaimedRun,
): Promise<RunEnvironment | { problem: string }> {
  const { environment, projectType } = run.settings;
  const connection = environment.connection === null ? null : storedConnection.parse(environment.connection);
  const secrets = await openRunSecrets(context, environment, connection);
  if ('problem' in secrets) return secrets;
  const results = await restoreResults(context, run);
  if ('problem' in results) return results;

  const profile =
    connection === null || projectType !== 'dbt'
      ? null
      : generatedProfile(connection, secrets.connection, {
          target: targetName(environment),
          threads: environment.threads,
        });
  return {
    variables: {
      ...environment.envVars,
      ...secrets.variables,
      ...(profile === null ? ownProfile(environment.target) : variablesOf(profile)),
    },
    files: [
      ...results,
      ...(profile === null ? [] : [{ path: `${profilesFolder}/profiles.yml`, content: profile.content }]),
    ],
    mask: createMask([...Object.values(secrets.variables), ...Object.values(secrets.connection)]),
  };
}

function variablesOf({ name, variables }: GeneratedProfile): Record<string, string> {
  return { ...variables, DBT_PROFILES_DIR: `${workFolder}/${profilesFolder}`, DBT_PROFILE: name };
}

function ownProfile(target: string | null): Record<string, string> {
  return target === null ? {} : { DBT_TARGET: target };
}
