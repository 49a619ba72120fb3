import type Docker from 'dockerode';
import { watchContainers } from '../../scripts/soak/watch-containers.ts';

/** Keeps, from now on, the ids of the containers that are made, by the run they are for. */
export async function watchCreatedContainers(
  docker: Docker,
): Promise<{ of(runId: string): string[]; close(): void }> {
  const { events, close } = await watchContainers(docker);
  return {
    of: (runId) =>
      events
        .filter((each) => each.action === 'create' && each.runId === runId)
        .map(({ containerId }) => containerId),
    close,
  };
}
