import type { Config } from '../../src/config.ts';
import { runnerUser } from '../../src/projects/unpack.ts';
import type { ClaimedRun } from '../../src/runs/lease.ts';
import { runLabel, type ContainerSpec } from '../executors/executor.ts';

export const workFolder = '/work';
/** dbt's manifest holds absolute paths, so a project is always at the same one. */
export const projectFolder = `${workFolder}/project`;
/** Where the shim is put, relative to the work folder. */
export const shimPath = '.dctl/shim.py';

export function containerName(runId: string): string {
  return `dctl-run-${runId}`;
}

/** The container of a run: its environment's settings where they are given, else the server's. */
export function containerSpec(run: ClaimedRun, config: Config): ContainerSpec {
  const { environment } = run.settings;
  return {
    name: containerName(run.id),
    labels: {
      [runLabel]: run.id,
      'dctl.organization_id': run.organizationId,
      'dctl.fence': String(run.fence),
    },
    image: environment.runnerImage ?? config.DCTL_RUNNER_IMAGE,
    command: ['python3', '-u', `${workFolder}/${shimPath}`],
    environment: { DCTL_PROJECT_DIR: projectFolder, DCTL_RUN_ID: run.id },
    user: runnerUser,
    workFolder,
    dataVolume: `dctl-data-${run.settings.environment.id}`,
    memoryMb: environment.memoryMb ?? config.DCTL_RUN_MEMORY_MB,
    cpus: environment.cpus ?? config.DCTL_RUN_CPUS,
    pids: config.DCTL_RUN_PIDS,
    temporaryMb: 256,
    network: environment.network ?? config.DCTL_RUN_NETWORK,
  };
}

/** What the shim is told on stdin: dbt's words, and variables that `docker inspect` must not show. */
export function runMessage(run: ClaimedRun, variables: Record<string, string>): string {
  return JSON.stringify({ argv: run.settings.steps[0]?.argv ?? [], env: variables });
}
