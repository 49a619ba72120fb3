import { randomBytes } from 'node:crypto';
import Docker from 'dockerode';
import { buildStandIn } from '../../scripts/soak/build-stand-in.ts';

/** An image in which dbt is replaced by something that only counts: see `work`. Tests remove it at their end. */
export async function makeStandIn(): Promise<{ image: string; remove(): Promise<void> }> {
  const docker = new Docker();
  const image = `dctl-test-stand-in:${randomBytes(4).toString('hex')}`;
  await buildStandIn(docker, image, process.env['DCTL_TEST_RUNNER_IMAGE'] ?? '');
  return { image, remove: async () => void (await docker.getImage(image).remove({ force: true })) };
}

/** The command that takes so long there. */
export function work(seconds: number): string {
  return `dbt run-operation work --args '{"seconds": ${seconds}}'`;
}
