import { randomUUID } from 'node:crypto';
import { Transform, type Readable } from 'node:stream';
import type { Context, Principal } from '../context.ts';
import { isDatabaseAway } from '../db.ts';
import { AppError } from '../errors.ts';
import { recordAudit } from '../audit/record-audit.ts';
import { projectTypeOf } from '../commands/project-type.ts';
import { environmentOfJob } from '../environments/environment-of-job.ts';
import { noSuchProject } from '../environments/require-project.ts';
import { ensureFirstJob } from '../jobs/ensure-first-job.ts';
import { requestPreparations } from '../preparations/request-preparations.ts';
import { removeDeploymentFiles } from './deployment-files.ts';
import { deploymentKey, uploadsKey } from './deployment-key.ts';
import { lockedProject } from './projects.ts';
import { findProject, insertDeployment, useDeployment } from './store.ts';
import { inspectArchive, repackArchive } from './unpack.ts';

/**
 * Makes an uploaded `.tar.gz` the project's newest deployment, and the project's first job when it has none.
 * Streams all the way: the archive is never in memory, and nothing is recorded unless it is whole and accepted.
 */
export async function deploy(
  context: Context,
  principal: Principal,
  projectId: string,
  upload: Readable,
): Promise<{ id: string; digest: string; job_id: string }> {
  const { db, storage, config, doorbell, log } = context;
  const project = await findProject(db, principal.organizationId, projectId);
  if (project === null) throw noSuchProject();

  const projectType = projectTypeOf(project.type);
  const id = randomUUID();
  const uploadKey = `${uploadsKey}/${id}.tar.gz`;
  const limits = {
    maxUnpackedBytes: config.DCTL_MAX_UNPACKED_BYTES,
    maxFiles: config.DCTL_MAX_DEPLOYMENT_FILES,
  };
  try {
    await storage.write(uploadKey, upload.pipe(atMost(config.DCTL_MAX_DEPLOYMENT_BYTES, upload)));
    const contents = await inspectArchive(await uploaded(), limits, projectType);
    await storage.write(deploymentKey(id), repackArchive(await uploaded(), contents, limits), {
      durable: true,
    });

    const { jobId, waiting } = await db.$transaction(async (tx) => {
      await lockedProject(tx, principal, projectId);
      const { digest, fileCount, sizeBytes } = contents;
      await insertDeployment(tx, {
        id,
        projectId,
        digest,
        sizeBytes,
        fileCount,
        deployedBy: principal.actor.name,
      });
      await useDeployment(tx, projectId, { id, by: principal.actor.name });
      const subject = { kind: 'deployment', id };
      await recordAudit(tx, principal, 'deployment.created', subject, { project_id: projectId, digest });
      const environmentId = await environmentOfJob(tx, principal.organizationId, projectId, undefined);
      const first = await ensureFirstJob(tx, { projectId, projectType, environmentId });
      const toPrepare = { projectId, projectType, deploymentId: id };
      return { jobId: first, waiting: await requestPreparations(context, tx, toPrepare) };
    });
    for (const preparationId of waiting) await doorbell.ringPreparation(preparationId);
    log.info({ project: projectId, deployment: id, digest: contents.digest }, 'deployment recorded');
    return { id, digest: contents.digest, job_id: jobId };
  } catch (error) {
    // Where the database went away nobody knows whether the deployment was recorded.
    if (!isDatabaseAway(error)) await removeDeploymentFiles(context, id);
    throw error;
  } finally {
    await storage
      .remove(uploadKey)
      .catch((error: unknown) => log.warn({ error }, 'an upload could not be removed'));
  }

  async function uploaded(): Promise<Readable> {
    const file = await storage.read(uploadKey);
    if (file === undefined) throw new Error('the upload disappeared while it was read');
    return file.content;
  }
}

function atMost(maxBytes: number, upload: Readable): Transform {
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= maxBytes) return done(null, chunk);
      const limit = `${Math.floor(maxBytes / 1024 / 1024)} MiB`;
      done(new AppError('too_large', `The archive is refused: it is larger than ${limit}.`));
    },
  });
  upload.once('error', (cause) =>
    counted.destroy(new AppError('invalid_request', 'The upload ended before it was whole.', { cause })),
  );
  return counted;
}
