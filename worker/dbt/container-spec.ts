import type { Config } from '../../src/config.ts';
import { runnerUser } from '../../src/projects/unpack.ts';
import type { ClaimedRun } from '../../src/runs/lease.ts';
import { environmentLabel, installationLabel, runLabel, type ContainerSpec } from '../executors/executor.ts';
import { endOfLog } from '../end-of-log.ts';
import { basisOf, type Basis } from './basis.ts';
import { runVariables } from './run-variables.ts';
import { withThreads } from './threads.ts';

export const workFolder = '/work';
/** dbt's manifest holds absolute paths, so a project is always at the same one. */
export const projectFolder = `${workFolder}/project`;
/** Where the shim is put, relative to the work folder. */
export const shimPath = '.dctl/shim.py';

export function containerName(runId: string): string {
  return `dctl-run-${runId}`;
}

/** The container of a run, made for it alone. */
export function containerSpec(run: ClaimedRun, config: Config): ContainerSpec {
  return {
    name: containerName(run.id),
    labels: {
      [runLabel]: run.id,
      [installationLabel]: run.installationId,
      'dctl.organization_id': run.organizationId,
      'dctl.fence': String(run.fence),
    },
    ...unnamedSpec(basisOf(run), config),
  };
}

/** A container for any run of the basis: its environment's settings where they are given, else the server's. */
export function unnamedSpec(basis: Basis, config: Config): Omit<ContainerSpec, 'name' | 'labels'> {
  const { environment, installationId } = basis;
  const isSqlmesh = basis.projectType === 'sqlmesh';
  const cpus = environment.cpus ?? config.DCTL_RUN_CPUS;
  return {
    ...imageOf(basis, config),
    command: ['python3', '-u', `${workFolder}/${shimPath}`],
    environment: {
      DCTL_PROJECT_DIR: projectFolder,
      // SQLMesh would load a project with a process for each processor of the host.
      ...(isSqlmesh && { DCTL_PROGRAM: 'sqlmesh', MAX_FORK_WORKERS: String(Math.ceil(cpus)) }),
    },
    user: runnerUser,
    workFolder,
    dataVolume: environment.hasDataVolume
      ? {
          name: `dctl-data-${environment.id}`,
          labels: { [environmentLabel]: environment.id, [installationLabel]: installationId },
        }
      : null,
    memoryMb: environment.memoryMb ?? config.DCTL_RUN_MEMORY_MB,
    cpus,
    pids: config.DCTL_RUN_PIDS,
    temporaryMb: 256,
    network: environment.network ?? config.DCTL_RUN_NETWORK,
  };
}

function imageOf(
  { environment, projectType }: Basis,
  config: Config,
): Pick<ContainerSpec, 'image' | 'imageSource'> {
  if (environment.runnerImage !== null) return { image: environment.runnerImage };
  if (projectType === 'dbt') return { image: config.DCTL_RUNNER_IMAGE };
  return { image: config.DCTL_SQLMESH_IMAGE, imageSource: 'npm run sqlmesh-image makes it there' };
}

/** The steps' files as they were when each ended: `<number>/<path below target>`. Only where there are several steps. */
export const stepsFolder = `${workFolder}/.dctl/steps`;

/**
 * Where the results are put that a retry goes on from, below the work folder. Not in the target folder: what is found
 * there in the end is the run's own.
 */
export const retryFolder = '.dctl/retry';

/** The line that the shim prints before a step of several. */
export function stepHeader(run: ClaimedRun, number: number): string {
  const { steps } = run.settings;
  return `[dctl] step ${number} of ${steps.length}: ${steps[number - 1]?.command}`;
}

/**
 * What the shim is told on stdin: dbt's words, and variables that `docker inspect` must not show. `sparesManifest`: the
 * first step need not write its manifest. `isPreloaded`: the container has parsed the project as that step needs it.
 */
export function runMessage(
  run: ClaimedRun,
  {
    variables,
    sparesManifest,
    isPreloaded,
  }: { variables: Record<string, string>; sparesManifest: boolean; isPreloaded: boolean },
): string {
  const { steps, environment, projectType, retryFrom } = run.settings;
  const inOrder = projectType === 'dbt' ? steps.map((step) => withThreads(step, environment)) : steps;
  const toRun = inOrder.map(({ mayFail, ...step }) => ({ ...step, ...(mayFail && { may_fail: true }) }));
  const env = { ...variables, ...runVariables(run) };
  const [first, ...rest] = toRun;
  const more = { env, end_of_log: endOfLog(run.id) };
  if (first === undefined) return JSON.stringify({ steps: toRun, ...more });
  if (retryFrom === null) {
    const told = {
      ...first,
      ...(isPreloaded && { preloaded: true }),
      ...(sparesManifest && { spare_manifest: true }),
    };
    return JSON.stringify({ steps: [told, ...rest], ...more });
  }
  const retry = { ...first, argv: [...first.argv, '--state', `${workFolder}/${retryFolder}`] };
  return JSON.stringify({ steps: [retry, ...rest], ...more });
}
