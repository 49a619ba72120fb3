import type { Context } from '../src/context.ts';
import type { ClaimedRun } from '../src/runs/lease.ts';
import { createMask, type Mask } from './masking.ts';

/** What a run's container gets besides the project, made when it is about to start: there are secrets in it. */
export interface RunEnvironment {
  /** Environment variables of dbt's process. They go to the shim on stdin, where `docker inspect` does not see them. */
  variables: Record<string, string>;
  /** Files below the work folder, such as a generated profile. They hold no secret. */
  files: { path: string; content: string }[];
  mask: Mask;
}

export async function openEnvironment(_context: Context, run: ClaimedRun): Promise<RunEnvironment> {
  const { environment } = run.settings;
  return { variables: { ...environment.envVars }, files: [], mask: createMask([]) };
}
