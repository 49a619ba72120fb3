import { ProtocolReader } from './dbt/protocol.ts';
import type { Execution } from './execute.ts';
import type { ContainerEnd } from './executors/executor.ts';
import { foundDead } from './outcome.ts';
import type { Heard } from './store-output.ts';

/**
 * Whether a container that was made ahead died while it waited, or before it began with what it was told: then the run
 * may have another. The whole of what it has ever said is looked through for a step that began. Throws `EngineAway`.
 */
export async function diedWaiting(
  { executor, launch, interruption, timeout, letGo }: Execution,
  { containerId, end, heard }: { containerId: string; end: ContainerEnd | null; heard: Heard },
): Promise<boolean> {
  if (!launch.isWarm || heard.hasBegun || heard.finished !== undefined) return false;
  if (interruption.wasSent || timeout.hasExpired) return false;
  // Of what an engine that died with it has kept, the last may be missing.
  if (end === null || end.exitCode === foundDead) return false;
  const protocol = new ProtocolReader();
  const said = new Set<string>();
  let isSilent = true;
  for await (const { stream, content } of await executor.written(containerId, letGo)) {
    if (content.length > 0) isSilent = false;
    if (stream === 'protocol') for (const { event } of protocol.read(content)) said.add(event);
  }
  // Without its first word the engine has kept only the end of it.
  return !said.has('step_started') && (isSilent || said.has('ready'));
}
