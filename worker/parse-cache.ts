import { createHash } from 'node:crypto';
import type { Context } from '../src/context.ts';
import { parsedKey } from '../src/projects/deployment-key.ts';
import type { ClaimedRun } from '../src/runs/lease.ts';
import type { Mask } from './masking.ts';

/** The name dbt gives to what it remembers of a parsed project. */
export const parseCacheFile = 'partial_parse.msgpack';

/**
 * Where the parsed form of a run's deployment is stored: one for each environment, whose variables are part of what
 * was parsed, and image, because another dbt could not read it.
 */
export function parseCacheKey({ deploymentId, settings }: ClaimedRun, image: string): string {
  const madeWith = createHash('sha256')
    .update(JSON.stringify([settings.environment.id, image]))
    .digest('hex');
  return `${parsedKey(deploymentId)}/${madeWith.slice(0, 16)}.msgpack`;
}

/**
 * Keeps what a run's dbt parsed, so that later runs of the deployment need not parse it again. A run of the job's own
 * command replaces what is there; one with an override, whose variables may be unusual, only fills the gap. What holds
 * a secret is not kept.
 */
export async function keepParseCache(
  { storage }: Pick<Context, 'storage'>,
  run: ClaimedRun,
  image: string,
  { content, mask }: { content: AsyncIterable<Uint8Array>; mask: Mask },
): Promise<void> {
  const key = parseCacheKey(run, image);
  if (run.hasOverride && (await storage.has(key))) return;
  try {
    await storage.write(key, withoutSecrets(content, mask));
  } catch (error) {
    if (!(error instanceof HoldsSecret)) throw error;
  }
}

class HoldsSecret extends Error {}

/** Throws `HoldsSecret` in place of the piece that ends one. */
async function* withoutSecrets(content: AsyncIterable<Uint8Array>, mask: Mask): AsyncGenerator<Uint8Array> {
  const looking = mask.stream();
  const refuseFound = () => {
    if (looking.hasFound) throw new HoldsSecret();
  };
  for await (const piece of content) {
    looking.write(Buffer.from(piece));
    refuseFound();
    yield piece;
  }
  looking.end();
  refuseFound();
}
