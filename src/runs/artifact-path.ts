import { posix } from 'node:path';

/** Where an artifact is stored. Its path is one that `isArtifactPath` accepts. */
export function artifactKey(runId: string, step: number, path: string): string {
  return `runs/${runId}/artifacts/${step}/${path}`;
}

/** Where it is stored if the run was recorded before runs had steps. */
export function formerArtifactKey(runId: string, path: string): string {
  return `runs/${runId}/artifacts/${path}`;
}

/** All that is stored of a run is below it. */
export function runKey(runId: string): string {
  return `runs/${runId}`;
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
