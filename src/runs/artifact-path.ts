import { posix } from 'node:path';

/** Where an artifact is stored. Its path is one that `isArtifactPath` accepts. */
export function artifactKey(runId: string, path: string): string {
  return `runs/${runId}/artifacts/${path}`;
}

/** A relative path of plain names: nothing that could lead out of its folder. */
export function isArtifactPath(path: string): boolean {
  return (
    path !== '' &&
    path.length <= 1_000 &&
    !/[\\\p{Cc}]/u.test(path) &&
    posix.normalize(`/${path}`) === `/${path}`
  );
}
