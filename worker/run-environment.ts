import type { Context } from '../src/context.ts';
import { storedConnection } from '../src/environments/connection.ts';
import { openRunSecrets } from '../src/environments/run-secrets.ts';
import { basisOf, type Basis } from './dbt/basis.ts';
import type { ClaimedRun } from '../src/runs/lease.ts';
import { generatedProfile, targetName, type GeneratedProfile } from './dbt/profile.ts';
import { environmentVariables } from './dbt/run-variables.ts';
import { unnamedSpec, workFolder } from './dbt/container-spec.ts';
import type { Executor } from './executors/executor.ts';
import type { FoundPreparation } from '../src/preparations/store.ts';
import { preparedFor, sparesManifest, takeManifest } from './prepared-run.ts';
import { restoreWhenStored } from './restore-results.ts';
import { createMask, type Mask } from './masking.ts';

/** What a container of a basis gets besides the project, made when it is about to start: there are secrets in it. */
export interface OpenedBasis {
  /** Environment variables of dbt's process. They go to the shim on stdin, where `docker inspect` does not see them. */
  variables: Record<string, string>;
  /** Files below the work folder: a generated profile. They hold no secret. */
  files: { path: string; content: string }[];
  mask: Mask;
  /**
   * A keyed digest of all that parsing depends on, but for the options of the command: equal for two, and both parse
   * the same. Null: the image is not there.
   */
  parsedWith: string | null;
  /** Likewise of all that a container is made from: one made ahead serves only a run of the same. */
  fit: string | null;
}

/** What a run's container gets besides the project. */
export interface RunEnvironment extends OpenedBasis {
  /** Of its deployment and environment. Null: nothing. */
  prepared: FoundPreparation | null;
  /** dbt need not write the manifest of the first step: the prepared one is the run's already. */
  sparesManifest: boolean;
}

/** Where a generated profile is put, below the work folder. */
const profilesFolder = '.dctl/profiles';

/**
 * Opens the secrets that the run's environment has now; its other settings are those the run was recorded with.
 * `problem`: why the run can't be started, for users.
 */
export async function openEnvironment(
  context: Context,
  executor: Executor,
  run: ClaimedRun,
  letGo?: AbortSignal,
): Promise<RunEnvironment | { problem: string }> {
  const [opened, results, prepared] = await Promise.all([
    openBasis(context, executor, basisOf(run)),
    restoreWhenStored(context, run, letGo),
    preparedFor(context, run),
  ]);
  if ('problem' in opened) return opened;
  if ('problem' in results) return results;
  const spared = sparesManifest(run.settings, opened.parsedWith, prepared)
    ? await takeManifest(context, run, prepared)
    : false;
  return { ...opened, files: [...results, ...opened.files], prepared, sparesManifest: spared };
}

/** Opens the secrets that the environment of a basis has now. `problem`: why no container can be made, for users. */
export async function openBasis(
  context: Context,
  executor: Executor,
  basis: Basis,
): Promise<OpenedBasis | { problem: string }> {
  const { environment, projectType } = basis;
  const connection = environment.connection === null ? null : storedConnection.parse(environment.connection);
  const spec = unnamedSpec(basis, context.config);
  const [secrets, imageId] = await Promise.all([
    openRunSecrets(context, environment, connection),
    executor.imageId(spec.image),
  ]);
  if ('problem' in secrets) return secrets;

  const profile =
    connection === null || projectType !== 'dbt'
      ? null
      : generatedProfile(connection, secrets.connection, {
          target: targetName(environment),
          threads: environment.threads,
        });
  const variables = {
    ...environmentVariables(environment),
    ...environment.envVars,
    ...secrets.variables,
    ...(profile === null ? ownProfile(environment.target) : variablesOf(profile)),
  };
  const files =
    profile === null ? [] : [{ path: `${profilesFolder}/profiles.yml`, content: profile.content }];
  const parsing = [basis.deploymentId, imageId, spec.command, spec.environment, sorted(variables), files];
  const digest = (parts: unknown) =>
    imageId === null ? null : context.secrets.fingerprint(JSON.stringify(parts)).toString('hex');
  return {
    variables,
    files,
    mask: createMask([...Object.values(secrets.variables), ...Object.values(secrets.connection)]),
    parsedWith: digest(['parsed with', parsing]),
    fit: digest(['made from', parsing, environment.id, spec]),
  };
}

function sorted(variables: Record<string, string>): [string, string][] {
  return Object.entries(variables).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function variablesOf({ name, variables }: GeneratedProfile): Record<string, string> {
  return { ...variables, DBT_PROFILES_DIR: `${workFolder}/${profilesFolder}`, DBT_PROFILE: name };
}

function ownProfile(target: string | null): Record<string, string> {
  return target === null ? {} : { DBT_TARGET: target };
}
