import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';

/** Keeps, from now on, the ids of the containers that are made, by the run they are for. */
export async function watchCreatedContainers(
  docker: Docker,
): Promise<{ of(runId: string): string[]; close(): void }> {
  const events = (await docker.getEvents({
    filters: { type: ['container'], event: ['create'] },
  })) as Readable;
  const created: { id: string; runId: string | undefined }[] = [];
  createInterface({ input: events }).on('line', (line) => {
    const { Actor } = JSON.parse(line) as { Actor: { ID: string; Attributes: Record<string, string> } };
    created.push({ id: Actor.ID, runId: Actor.Attributes['dctl.run_id'] });
  });
  return {
    of: (runId) => created.filter((each) => each.runId === runId).map(({ id }) => id),
    close: () => events.destroy(),
  };
}
