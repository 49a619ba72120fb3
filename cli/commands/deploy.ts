import { setTimeout as delay } from 'node:timers/promises';
import { resolve } from 'node:path';
import type { Deployment } from '../../client/index.ts';
import { command } from '../command.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { findProject } from '../find/project.ts';
import { projectOption } from '../options.ts';
import { countOf, formatAgo, formatBytes } from '../output/format.ts';
import { plain } from '../output/plain.ts';
import { listFiles, type ProjectFile } from '../pack/list-files.ts';
import { digestOf, packFiles } from '../pack/pack.ts';
import { secretsIn } from '../pack/secrets-in.ts';
import type { Shell } from '../shell.ts';

const lookMs = 1_000;

export const deploy = command({
  name: 'deploy',
  summary: "Upload a project's folder; its runs use it from now on",
  details:
    'What .gitignore leaves out is left out, and so is what .dctlignore names in the same way. Files that look like secrets are refused.',
  examples: ['dctl deploy', 'dctl deploy transformations --dry-run', 'dctl deploy --wait'],
  arguments: { folder: { about: "the project's folder; this one when left out", isOptional: true } },
  options: {
    dryRun: { about: 'only list the files that would be uploaded', short: 'n' },
    allowSecret: { about: 'upload this file although it looks like a secret', value: 'FILE', many: true },
    allowSecrets: { about: 'upload all files that look like secrets' },
    force: { about: 'even if nothing has changed' },
    wait: {
      about: 'wait until packages are installed and the project is parsed; exit code 1 when that fails',
      short: 'w',
    },
    project: { ...projectOption, about: "name or id; that of the folder's dctl.json when left out" },
  },
  async run(shell, given) {
    const { out } = shell;
    const folder = resolve(shell.folder, given.folder ?? '.');
    const files = await listFiles(folder);
    refuseWithoutProject(folder, files);
    if (!given.allowSecrets) refuseSecrets(await secretsIn(files), given.allowSecret);
    const sizeBytes = files.reduce((sum, { size }) => sum + size, 0);
    if (given.dryRun) {
      out.answer(
        files.map(({ path, size }) => ({ path, size_bytes: size })),
        () => {
          for (const { path, size } of files) out.say(`${formatBytes(size).padStart(10)}  ${plain(path)}`);
          out.say(`${countOf(files.length, 'file')}, ${formatBytes(sizeBytes)}`);
        },
      );
      return;
    }

    const project = await findProject(shell, given.project, folder);
    const client = shell.client();
    const digest = await digestOf(files);
    const { data } = await client.call('listDeployments', { path: { project_id: project.id } });
    const current = data.find(({ is_current: isCurrent }) => isCurrent);
    if (current?.digest === digest && !given.force) {
      out.answer({ ...current, is_new: false }, () =>
        out.say(
          `Nothing has changed: runs of ${plain(project.name)} use ${current.id} already, deployed ${formatAgo(current.created_at)}.`,
        ),
      );
      return given.wait ? prepared(shell, current) : undefined;
    }

    const archive = await packFiles(files);
    const packed = `${countOf(files.length, 'file')}, ${formatBytes(sizeBytes)}, ${formatBytes(archive.length)} packed`;
    out.redraw(`Sending ${packed} ...`);
    const path = { project_id: project.id };
    const { id } = await client.upload('deploy', { path }, { type: 'application/gzip', bytes: archive });
    const deployment = await client.call('getDeployment', { path: { ...path, deployment_id: id } });
    out.redraw('');
    out.answer({ ...deployment, is_new: true }, () => {
      out.say(`${out.paint('green', '✓')} ${plain(project.name)} deployed: ${packed}`);
      out.say(`  ${out.paint('dim', deployment.id)} ${out.paint('dim', deployment.digest)}`);
      if (project.deployment === null)
        out.say(`  ${out.paint('dim', 'next:')} dctl trigger scheduled-run --follow`);
    });
    return given.wait ? prepared(shell, deployment) : undefined;
  },
});

function refuseWithoutProject(folder: string, files: ProjectFile[]): void {
  const roots = ['dbt_project.yml', 'config.yaml', 'config.yml', 'config.py', 'sqlmesh.yaml', 'sqlmesh.yml'];
  if (files.some(({ path }) => roots.includes(path))) return;
  throw new UsageError(
    `${folder} has no dbt_project.yml, or it is ignored. Name the project's folder: dctl deploy FOLDER`,
  );
}

function refuseSecrets(found: { path: string; why: string }[], allowed: string[]): void {
  const left = found.filter(({ path }) => !allowed.includes(path));
  if (left.length === 0) return;
  const lines = left.slice(0, 20).map(({ path, why }) => `  ${plain(path)}: ${why}`);
  throw new UsageError(
    [
      `${left.length === 1 ? 'This file looks' : 'These files look'} like secrets, which runs and everybody who reads deployments would have:`,
      ...lines,
      'Add them to .gitignore or .dctlignore and set their values with dctl secret set, or upload them with --allow-secret FILE.',
    ].join('\n'),
  );
}

/** Waits until it was prepared for each environment, and says what came of it. */
async function prepared(shell: Shell, { id, project_id }: Deployment): Promise<ExitCode> {
  const { out, signal } = shell;
  const client = shell.client();
  const path = { project_id, deployment_id: id };
  for (;;) {
    const { preparations } = await client.call('getDeployment', { path });
    const going = preparations.filter(({ state }) => state === 'pending' || state === 'preparing');
    if (going.length === 0) {
      out.redraw('');
      const failed = preparations.filter(({ state }) => state === 'failed');
      for (const { environment, error_message: message, output } of failed) {
        out.note(
          `${out.paint('red', '✗')} ${plain(environment)}: ${plain(message ?? 'it could not be prepared')}`,
        );
        for (const line of (output ?? '').split('\n').slice(-15)) out.note(`    ${plain(line)}`);
      }
      if (failed.length === 0 && !out.isJson)
        out.say(`  Prepared for ${countOf(preparations.length, 'environment')}.`);
      return failed.length > 0 ? exitCodes.failed : exitCodes.success;
    }
    out.redraw(`Preparing it for ${going.map(({ environment }) => environment).join(', ')} ...`);
    await delay(lookMs, undefined, { signal });
  }
}
