import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { archiveOf, smallProject, type Entry } from '../support/archive.ts';
import { expectStatus, trigger } from '../support/project.ts';
import { paxRecord, rawTar } from '../support/raw-tar.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
});
afterAll(() => system.stop());

async function createProject(): Promise<string> {
  const name = `project-${Math.random().toString(36).slice(2)}`;
  return (await expectStatus(201, system.call('POST', '/api/v1/projects', { name }))).body.id;
}

async function deploy(projectId: string, archive: Buffer): Promise<any> {
  const headers = { 'content-type': 'application/gzip' };
  return (
    await expectStatus(
      201,
      system.call('POST', `/api/v1/projects/${projectId}/deployments`, archive, headers),
    )
  ).body;
}

const below = (folder: string) => smallProject.map((entry) => ({ ...entry, name: folder + entry.name }));
const folderEntry = (name: string): Entry => ({ name, type: 'directory' });

describe('an archive is accepted, and its digest is of the files alone', () => {
  test.each<[string, () => Entry[]]>([
    ['with the project at its top', () => smallProject],
    ['with the project one folder deep', () => [folderEntry('shop/'), ...below('shop/')]],
    ['with paths that start with ./', () => [folderEntry('./'), ...below('./')]],
    ['with a folder below ./', () => below('./shop/')],
    ['in another order', () => smallProject.toReversed()],
    [
      'with other times, owners and modes',
      () => smallProject.map((entry) => ({ ...entry, mtime: new Date(0), uid: 1, mode: 0o600 })),
    ],
    [
      'with what local runs left behind',
      () => [
        ...smallProject,
        { name: 'target/manifest.json', content: '{}' },
        { name: '.git/HEAD', content: 'x' },
        { name: 'models/._one.sql', content: 'x' },
        { name: '.venv/bin/python', type: 'symlink', linkname: '/usr/bin/python3' },
      ],
    ],
  ])('%s', async (_name, entries) => {
    const projectId = await createProject();
    const usual = await deploy(projectId, await archiveOf(smallProject));
    const deployed = await deploy(projectId, await archiveOf(entries()));
    expect(deployed.digest).toBe(usual.digest);
    const { body: list } = await system.call('GET', `/api/v1/projects/${projectId}/deployments`);
    expect(list.data[0]).toMatchObject({ id: deployed.id, file_count: 2, digest: deployed.digest });
  });

  test('also where its gzip has several parts and it begins with a comment, as git packs it', async () => {
    const usual = await deploy(await createProject(), await archiveOf(smallProject));
    const tar = rawTar([
      { name: 'pax_global_header', type: 'g', content: paxRecord('comment', '0'.repeat(40)) },
      ...smallProject.map(({ name, content = '' }) => ({ name, content })),
    ]);
    const parts = [tar.subarray(0, 700), tar.subarray(700)].map((part) => gzipSync(part));
    expect((await deploy(await createProject(), Buffer.concat(parts))).digest).toBe(usual.digest);
  });

  test('and tells upper from lower case', async () => {
    const entries = [...smallProject, { name: 'models/ONE.sql', content: 'select 2 as id' }];
    const { id } = await deploy(await createProject(), await archiveOf(entries));
    const stored = await readFile(join(system.environment['DCTL_STORAGE_DIR']!, 'deployments', `${id}.tar`));
    expect(stored.includes('project/models/one.sql')).toBe(true);
    expect(stored.includes('project/models/ONE.sql')).toBe(true);
  });

  test('and changes with a file, its name or its place', async () => {
    const projectId = await createProject();
    const [projectFile, model] = smallProject as [Entry, Entry];
    const variants = [
      smallProject,
      [projectFile, { ...model, content: 'select 2 as id' }],
      [projectFile, { ...model, name: 'models/two.sql' }],
      [projectFile],
      [...smallProject, { name: 'shop/dbt_project.yml', content: '' }],
    ];
    const digests = [];
    for (const variant of variants) digests.push((await deploy(projectId, await archiveOf(variant))).digest);
    expect(new Set(digests).size).toBe(variants.length);
  });

  test('as tar itself packs it, long names and all', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dctl-tar-'));
    const longName = `models/${'deep/'.repeat(30)}${'m'.repeat(120)}.sql`;
    for (const { name, content } of [...smallProject, { name: longName, content: 'select 1' }]) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content ?? '');
    }
    try {
      const digests = [];
      for (const format of ['gnu', 'pax']) {
        const options = { encoding: 'buffer', maxBuffer: 2 ** 24 } as const;
        const { stdout } = await promisify(execFile)(
          'tar',
          [`--format=${format}`, '-czf', '-', '-C', folder, '.'],
          options,
        );
        const deployed = await deploy(await createProject(), stdout);
        digests.push(deployed.digest);
      }
      expect(new Set(digests).size).toBe(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test('the first deployment makes the first job; the second keeps it', async () => {
  const projectId = await createProject();
  const first = await deploy(projectId, await archiveOf(smallProject));
  const second = await deploy(projectId, await archiveOf(smallProject));
  expect(second.job_id).toBe(first.job_id);
  expect(second.id).not.toBe(first.id);
  const { body: project } = await system.call('GET', `/api/v1/projects/${projectId}`);
  expect(project.jobs).toEqual([{ id: first.job_id, name: 'scheduled-run', command: 'dbt build' }]);
});

test('ten first deployments at once make one first job', async () => {
  const projectId = await createProject();
  const archive = await archiveOf(smallProject);
  const deployed = await Promise.all(Array.from({ length: 10 }, () => deploy(projectId, archive)));
  expect(new Set(deployed.map(({ job_id }) => job_id)).size).toBe(1);
  expect(new Set(deployed.map(({ id }) => id)).size).toBe(10);
});

test('a run uses the deployment that is the newest when it is triggered, and keeps it', async () => {
  const projectId = await createProject();
  const archive = await archiveOf(smallProject);
  const deploymentOf = async (runId: string) =>
    (await system.call('GET', `/api/v1/runs/${runId}`)).body.deployment_id;

  const first = await deploy(projectId, archive);
  const firstRun = await trigger(system, { projectId, jobId: first.job_id });
  const second = await deploy(projectId, archive);
  const secondRun = await trigger(system, { projectId, jobId: first.job_id });
  expect([await deploymentOf(firstRun), await deploymentOf(secondRun)]).toEqual([first.id, second.id]);
});

test('a job of a project without code cannot be triggered: 409 says to deploy', async () => {
  const projectId = await createProject();
  const job = await system.call('POST', `/api/v1/projects/${projectId}/jobs`, {
    name: 'early',
    command: 'dbt build',
  });
  const answer = await system.call('POST', `/api/v1/projects/${projectId}/jobs/${job.body.id}/trigger`);
  expect(answer).toMatchObject({ status: 409, body: { detail: expect.stringContaining('deploy it first') } });
});
