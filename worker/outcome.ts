import type { Outcome } from '../src/runs/status.ts';
import { containerSpec } from './dbt/container-spec.ts';
import type { Execution } from './execute.ts';
import type { ContainerEnd } from './executors/executor.ts';
import type { Heard } from './store-output.ts';

/** What the engine notes of a container that it finds dead when it starts. */
export const foundDead = 255;

/** What this worker did and saw besides the container's end. */
export interface Circumstances {
  timedOut: boolean;
  /** A signal of ours has reached the container. */
  interrupted: boolean;
  engineWasAway: boolean;
}

/** How a run's execution ended. `end`: null when its container is gone. */
export function outcomeOf(
  end: ContainerEnd | null,
  { finished }: Heard,
  { timedOut, interrupted, engineWasAway }: Circumstances,
  { run, context }: Execution,
): Outcome {
  if (end?.outOfMemory && finished?.exit_code !== 0) {
    const limitMb = containerSpec(run, context.config).memoryMb;
    return { kind: 'out_of_memory', limitMb, exitCode: end.exitCode };
  }
  const cameToItsEnd = finished !== undefined && !finished.interrupted;
  // A run that came to its end while the signal was on its way has ended well.
  if (timedOut && !cameToItsEnd) return { kind: 'timed_out', afterSeconds: run.settings.timeoutSeconds };
  if (cameToItsEnd) return { kind: 'exited', exitCode: finished.exit_code, error: finished.error };
  if (end === null && finished === undefined) return { kind: 'container_lost' };
  const byEngine = engineWasAway || end?.exitCode === foundDead;
  if (byEngine && !interrupted) return { kind: 'engine_restarted' };
  // Somebody else's SIGINT or SIGTERM: dbt's half a result is not the run's.
  return { kind: 'killed', exitCode: end?.exitCode ?? finished?.exit_code ?? foundDead };
}
