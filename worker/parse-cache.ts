import { createHash } from 'node:crypto';
import type { Context } from '../src/context.ts';
import type { ClaimedRun } from '../src/runs/lease.ts';

/** The name dbt gives to what it remembers of a parsed project. */
export const parseCacheFile = 'partial_parse.msgpack';

/** Where the parsed form of a deployment is stored, one for each image: another dbt could not read it. */
export function parseCacheKey(deploymentId: string, image: string): string {
  const imageDigest = createHash('sha256').update(image).digest('hex').slice(0, 16);
  return `parsed/${deploymentId}/${imageDigest}.msgpack`;
}

/**
 * Keeps what a run's dbt parsed, so that later runs of the deployment need not parse it again. A run of the job's own
 * command replaces what is there; one with an override, whose variables may be unusual, only fills the gap.
 */
export async function keepParseCache(
  { storage }: Pick<Context, 'storage'>,
  run: ClaimedRun,
  image: string,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const key = parseCacheKey(run.deploymentId, image);
  if (run.hasOverride && (await storage.has(key))) return;
  await storage.write(key, content);
}
