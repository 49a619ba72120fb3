import type { Context } from '../context.ts';
import { parsedKey } from '../preparations/stored-at.ts';
import { deploymentKey } from './deployment-key.ts';

/** Removes all that is stored of a deployment. Again is the same as once. */
export async function removeDeploymentFiles(
  { storage }: Pick<Context, 'storage'>,
  deploymentId: string,
): Promise<void> {
  await storage.remove(deploymentKey(deploymentId));
  await storage.remove(parsedKey(deploymentId));
}
