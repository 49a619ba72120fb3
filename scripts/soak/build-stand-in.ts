import { join } from 'node:path';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { packFolder } from '../setup/archive.ts';

/** The runner's image with something in dbt's place that costs next to nothing, so that many can run at once. */
export async function buildStandIn(docker: Docker, image: string, runnerImage: string): Promise<void> {
  const folder = await packFolder(join(import.meta.dirname, 'stand-in'));
  const buildargs = { RUNNER: runnerImage };
  const building = await docker.buildImage(Readable.from([folder]), { t: image, buildargs });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(building, (error) => (error === null ? resolve() : reject(error)));
  });
}
