import { optionsOf, writesManifestAside } from '../src/commands/parse-options.ts';
import type { Context } from '../src/context.ts';
import { requestPreparation } from '../src/preparations/request-preparations.ts';
import { manifestNames, preparedManifestKey, type ManifestName } from '../src/preparations/stored-at.ts';
import { findPreparation, type FoundPreparation, type Wanted } from '../src/preparations/store.ts';
import { artifactKey } from '../src/runs/artifact-path.ts';
import type { ClaimedRun } from '../src/runs/lease.ts';
import type { RunSettings } from '../src/runs/schema.ts';
import { findPreparationOfRun } from '../src/runs/store.ts';
import type { RunEnvironment } from './run-environment.ts';

/** What was prepared of the run's deployment for its environment, and for its options where there is such. */
export async function preparedFor({ db }: Context, run: ClaimedRun): Promise<FoundPreparation | null> {
  const { environment, projectType } = run.settings;
  if (projectType !== 'dbt') return null;
  const { deploymentId } = run;
  return findPreparation(db, { deploymentId, environmentId: environment.id, options: optionsOfRun(run) });
}

/**
 * Whether the manifest that was prepared is the one that dbt would make in the run's first step, where nobody runs that
 * for its manifest. `parsedWith`: what the run would be parsed with.
 */
export function sparesManifest<
  Found extends Pick<FoundPreparation, 'isExact' | 'hasManifest' | 'parsedWith'>,
>(
  { steps, retryFrom }: Pick<RunSettings, 'steps' | 'retryFrom'>,
  parsedWith: string | null,
  prepared: Found | null,
): prepared is Found {
  const [first] = steps;
  if (first === undefined || retryFrom !== null || !writesManifestAside(first.argv)) return false;
  if (prepared === null || optionsOf([first.argv]) === null) return false;
  return (
    prepared.isExact && prepared.hasManifest && parsedWith !== null && prepared.parsedWith === parsedWith
  );
}

/**
 * Makes the prepared manifest the run's before it begins: whatever is prepared anew or removed meanwhile, this is the
 * one it ran with. A manifest that dbt writes after all takes its place. False: it is not there.
 */
export async function takeManifest(
  { storage }: Pick<Context, 'storage'>,
  run: ClaimedRun,
  { id, deploymentId, digest }: FoundPreparation,
): Promise<boolean> {
  if (digest === null) return false;
  const copies = manifestNames.map((name) =>
    storage.copy(preparedManifestKey({ id, deploymentId, digest }, name), artifactKey(run.id, 1, name)),
  );
  const [manifest] = await Promise.all(copies);
  return manifest !== undefined;
}

/** One of those files, where dbt was spared writing it. Null: it was not, or there is none. */
export async function takenManifest(
  { db, storage }: Pick<Context, 'db' | 'storage'>,
  run: ClaimedRun,
  name: ManifestName,
): Promise<{ sizeBytes: number } | null> {
  const sizeBytes = await storage.sizeOf(artifactKey(run.id, 1, name));
  // It may have been taken for a launch that came to nothing.
  if (sizeBytes === null || (await findPreparationOfRun(db, run.id)) === null) return null;
  return { sizeBytes };
}

/**
 * Has prepared what the run found missing or made with something else, for the runs after it. Only what jobs run: an
 * override may be one of a kind.
 */
export async function requestForNextTime(
  context: Context,
  run: ClaimedRun,
  environment: RunEnvironment,
): Promise<void> {
  const options = optionsOfRun(run);
  const {
    retryFrom,
    environment: { id: environmentId },
  } = run.settings;
  if (run.hasOverride || run.settings.overrides !== null || retryFrom !== null || options === null) return;
  const wanted = wantedAfter(run.settings, environment);
  if (wanted === null) return;
  await requestPreparation(context, { deploymentId: run.deploymentId, environmentId, options }, wanted);
}

function wantedAfter(
  settings: RunSettings,
  { parsedWith, prepared, sparesManifest: spared }: RunEnvironment,
): Wanted | null {
  // Without its image there is no run either.
  if (parsedWith === null || settings.projectType !== 'dbt') return null;
  if (prepared === null || !prepared.isExact) return 'missing';
  if (prepared.state !== 'ready' && prepared.state !== 'failed') return null;
  if (prepared.parsedWith !== parsedWith) return 'changed';
  // It fits, and was not there.
  return sparesManifest(settings, parsedWith, prepared) && !spared ? 'anew' : null;
}

function optionsOfRun({ settings }: ClaimedRun): string[] | null {
  return optionsOf(settings.steps.map(({ argv }) => argv));
}
