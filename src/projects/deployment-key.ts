/** Below it are uploads that are being read. */
export const uploadsKey = 'uploads';

/** Where a deployment's tar of `project/...` is stored. */
export function deploymentKey(deploymentId: string): string {
  return `deployments/${deploymentId}.tar`;
}
