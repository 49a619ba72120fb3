import { spawnSync } from 'node:child_process';
import { ensureDocker } from './setup/docker.ts';
import { ensureRunnerImage } from './setup/runner-image.ts';

// `npm run sqlmesh-image`: makes the image that runs of SQLMesh projects execute in, under the name workers look for.
const name = 'dctl-sqlmesh:latest';
const log = (line: string) => console.log(line);
const docker = await ensureDocker({ log });
try {
  const tag = await ensureRunnerImage({ log, program: 'sqlmesh' });
  const named = spawnSync('docker', ['tag', tag, name], { encoding: 'utf8' });
  if (named.status !== 0)
    throw new Error(`The image ${tag} could not be named ${name}: ${named.stderr.trim()}`);
  console.log(`${name} is there. Workers of this machine use it for SQLMesh projects.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await docker.stop();
}
