import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { archiveOf, smallProject } from '../support/archive.ts';
import { asAnotherOrganization, insertToken, withToken } from '../support/organization.ts';
import { expectStatus, trigger } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { countWaiting } from '../support/waiting.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
});
afterAll(() => system.stop());

interface Deployed {
  projectId: string;
  jobId: string;
  path: string;
  /** The oldest first. */
  ids: string[];
}

/** A project with so many deployments; the last one is the current one. */
async function deployTimes(count: number): Promise<Deployed> {
  const name = `project-${Math.random().toString(36).slice(2)}`;
  const { body: project } = await expectStatus(201, system.call('POST', '/api/v1/projects', { name }));
  const path = `/api/v1/projects/${project.id}`;
  const deployed: Deployed = { projectId: project.id, jobId: '', path: `${path}/deployments`, ids: [] };
  for (let each = 0; each < count; each += 1) await deploy(deployed);
  return deployed;
}

async function deploy(to: Deployed): Promise<string> {
  const gzip = { 'content-type': 'application/gzip' };
  const { body } = await expectStatus(201, system.call('POST', to.path, await archiveOf(smallProject), gzip));
  to.ids.push(body.id);
  to.jobId = body.job_id;
  return body.id;
}

async function deploymentOf(runId: string): Promise<string> {
  return (await system.call('GET', `/api/v1/runs/${runId}`)).body.deployment_id;
}

async function beginRun(runId: string): Promise<void> {
  const sql = `UPDATE runs SET status = 'running', started_at = now(), lease_token = 'held',
    lease_expires_at = now() + interval '1 hour' WHERE id = $1`;
  await system.pool.query(sql, [runId]);
}

async function endRun(runId: string): Promise<void> {
  const sql = `UPDATE runs SET status = 'success', finished_at = now(), lease_token = NULL WHERE id = $1`;
  await system.pool.query(sql, [runId]);
}

async function auditOf(action: string, ids: string[]): Promise<string[]> {
  const sql = `SELECT subject_id FROM audit_events WHERE action = $1 AND subject_id = ANY($2) ORDER BY created_at`;
  return (await system.pool.query(sql, [action, ids])).rows.map((row) => row.subject_id);
}

const listed = async ({ path }: Deployed, query = '') =>
  (await expectStatus(200, system.call('GET', path + query))).body.data.map(({ id }: { id: string }) => id);

const storedAt = (key: string) => join(system.environment['DCTL_STORAGE_DIR']!, key);
const isStored = (id: string) =>
  access(storedAt(`deployments/${id}.tar`)).then(
    () => true,
    () => false,
  );

describe('a deployment', () => {
  test('says what it is, who made it when, and whether it is the current one', async () => {
    const deployed = await deployTimes(2);
    const [older, newer] = deployed.ids as [string, string];
    const { body } = await system.call('GET', `${deployed.path}/${newer}`);
    expect(body).toEqual({
      id: newer,
      project_id: deployed.projectId,
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      size_bytes: expect.any(Number),
      file_count: 2,
      deployed_by: expect.stringMatching(/\w/),
      created_at: expect.stringMatching(/Z$/),
      is_current: true,
      pruned_at: null,
      preparations: [expect.objectContaining({ environment: 'production', state: expect.any(String) })],
    });
    expect((await system.call('GET', `${deployed.path}/${older}`)).body.is_current).toBe(false);
    const { data } = (await system.call('GET', deployed.path)).body;
    expect(data.map(({ is_current }: any) => is_current)).toEqual([true, false]);
  });

  test('of another project or organization, and one that is not there, are the same 404', async () => {
    const [mine, other] = [await deployTimes(1), await deployTimes(1)];
    const foreign = await asAnotherOrganization(system);
    for (const [method, end] of [
      ['GET', ''],
      ['POST', '/activate'],
      ['DELETE', ''],
    ] as const) {
      const missing = await system.call(method, `${mine.path}/none${end}`);
      expect(missing).toMatchObject({ status: 404, body: { detail: 'There is no such deployment.' } });
      expect((await system.call(method, `${mine.path}/${other.ids[0]}${end}`)).text).toBe(missing.text);
      expect((await foreign.call(method, `${mine.path}/${mine.ids[0]}${end}`)).status).toBe(404);
    }
  });

  test('is activated and removed with the scope admin only', async () => {
    const { path, ids } = await deployTimes(2);
    const trigger = withToken(system, await insertToken(system, { scope: 'trigger' }));
    expect((await trigger.call('POST', `${path}/${ids[0]}/activate`)).status).toBe(403);
    expect((await trigger.call('DELETE', `${path}/${ids[0]}`)).status).toBe(403);
    expect((await trigger.call('POST', `${path}/prune`, { keep: 0 })).status).toBe(403);
  });
});

describe('rolling back', () => {
  test('makes runs recorded from now on use the earlier code, and earlier runs keep theirs', async () => {
    const deployed = await deployTimes(2);
    const [older, newer] = deployed.ids as [string, string];
    const before = await trigger(system, deployed);
    const answer = await expectStatus(200, system.call('POST', `${deployed.path}/${older}/activate`));
    expect(answer.body).toMatchObject({ id: older, is_current: true });
    const after = await trigger(system, deployed);
    expect([await deploymentOf(before), await deploymentOf(after)]).toEqual([newer, older]);

    const { body: project } = await system.call('GET', `/api/v1/projects/${deployed.projectId}`);
    const age = Date.now() - Date.parse(project.deployment.since);
    expect(project.deployment).toEqual({ id: older, since: expect.any(String), by: expect.any(String) });
    expect(Math.abs(age)).toBeLessThan(60_000);
  });

  test('twice is the same as once', async () => {
    const deployed = await deployTimes(2);
    const [older, newer] = deployed.ids as [string, string];
    const project = async () => (await system.call('GET', `/api/v1/projects/${deployed.projectId}`)).body;
    await expectStatus(200, system.call('POST', `${deployed.path}/${older}/activate`));
    const { deployment } = await project();
    await expectStatus(200, system.call('POST', `${deployed.path}/${older}/activate`));
    expect((await project()).deployment).toEqual(deployment);
    expect(await auditOf('deployment.activated', deployed.ids)).toEqual([older]);
    await expectStatus(200, system.call('POST', `${deployed.path}/${newer}/activate`));
    expect(await auditOf('deployment.activated', deployed.ids)).toEqual([older, newer]);
  });

  test('lasts until the next deployment', async () => {
    const deployed = await deployTimes(2);
    await expectStatus(200, system.call('POST', `${deployed.path}/${deployed.ids[0]}/activate`));
    const newest = await deploy(deployed);
    expect(await deploymentOf(await trigger(system, deployed))).toBe(newest);
  });

  test('to code that was removed is refused', async () => {
    const { path, ids } = await deployTimes(2);
    await expectStatus(204, system.call('DELETE', `${path}/${ids[0]}`));
    expect(await system.call('POST', `${path}/${ids[0]}/activate`)).toMatchObject({
      status: 409,
      body: { detail: "This deployment's files were removed. Deploy that code again." },
    });
  });
});

describe("removing a deployment's files", () => {
  test('takes all that is stored of it, and leaves its row for those who ask', async () => {
    const deployed = await deployTimes(2);
    const [older, newer] = deployed.ids as [string, string];
    await mkdir(storedAt(`parsed/${older}`), { recursive: true });
    await writeFile(storedAt(`parsed/${older}/1.msgpack`), 'parsed');
    expect(await isStored(older)).toBe(true);

    expect(await system.call('DELETE', `${deployed.path}/${older}`)).toMatchObject({ status: 204, text: '' });
    expect(await isStored(older)).toBe(false);
    await expect(access(storedAt(`parsed/${older}`))).rejects.toThrow('ENOENT');
    expect(await isStored(newer)).toBe(true);
    expect(await listed(deployed)).toEqual([newer]);
    expect(await listed(deployed, '?include_pruned=1')).toEqual([newer, older]);
    expect((await system.call('GET', `${deployed.path}?include_pruned=maybe`)).status).toBe(400);
    expect((await system.call('GET', `${deployed.path}/${older}`)).body.pruned_at).toMatch(/Z$/);
    expect(await auditOf('deployment.pruned', deployed.ids)).toEqual([older]);
  });

  test('can be done again after a server died between the mark and the files', async () => {
    const deployed = await deployTimes(2);
    const [older] = deployed.ids as [string];
    await system.pool.query('UPDATE deployments SET pruned_at = now() WHERE id = $1', [older]);
    expect(await isStored(older)).toBe(true);
    await expectStatus(204, system.call('DELETE', `${deployed.path}/${older}`));
    expect(await isStored(older)).toBe(false);
    await expectStatus(204, system.call('DELETE', `${deployed.path}/${older}`));
  });

  test('is refused of the current one', async () => {
    const deployed = await deployTimes(2);
    await expectStatus(200, system.call('POST', `${deployed.path}/${deployed.ids[0]}/activate`));
    expect(await system.call('DELETE', `${deployed.path}/${deployed.ids[0]}`)).toMatchObject({
      status: 409,
      body: { detail: 'This deployment is the current one. Activate another one first.' },
    });
    expect(await isStored(deployed.ids[0]!)).toBe(true);
  });

  test('is refused while a run that uses it is queued or running', async () => {
    const deployed = await deployTimes(1);
    const [older] = deployed.ids as [string];
    const runId = await trigger(system, deployed);
    await deploy(deployed);
    for (const status of ['queued', 'running']) {
      if (status === 'running') await beginRun(runId);
      expect(await system.call('DELETE', `${deployed.path}/${older}`)).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining('queued or running') },
      });
      expect((await system.call('POST', `${deployed.path}/prune`, { keep: 0 })).body).toEqual({ pruned: [] });
    }
    expect(await isStored(older)).toBe(true);
    await endRun(runId);
    await expectStatus(204, system.call('DELETE', `${deployed.path}/${older}`));
    expect((await system.call('GET', `/api/v1/runs/${runId}`)).body.deployment_id).toBe(older);
  });

  test('waits for a trigger that is recording a run of it, and is refused then', async () => {
    const deployed = await deployTimes(1);
    const [older] = deployed.ids as [string];
    const runId = await trigger(system, deployed);
    await endRun(runId);
    await deploy(deployed);
    const client = await system.pool.connect();
    try {
      // What a trigger does: the run is there for others once its transaction has ended.
      await client.query('BEGIN');
      await client.query('SELECT FROM deployments WHERE id = $1 FOR KEY SHARE', [older]);
      await client.query(`UPDATE runs SET status = 'queued', finished_at = NULL WHERE id = $1`, [runId]);
      const removal = system.call('DELETE', `${deployed.path}/${older}`);
      await until(
        'it waits for the trigger',
        () => countWaiting(system),
        (count) => count === 1,
        4_000,
      );
      await client.query('COMMIT');
      expect((await removal).status).toBe(409);
    } finally {
      client.release(true);
    }
    expect(await isStored(older)).toBe(true);
  });

  test('lets no trigger take it: one that comes meanwhile waits, and is told to deploy', async () => {
    const deployed = await deployTimes(1);
    const [current] = deployed.ids as [string];
    const client = await system.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('SELECT FROM deployments WHERE id = $1 FOR UPDATE', [current]);
      await client.query('UPDATE deployments SET pruned_at = now() WHERE id = $1', [current]);
      const path = `/api/v1/projects/${deployed.projectId}/jobs/${deployed.jobId}/trigger`;
      const triggered = system.call('POST', path);
      await until(
        'it waits for the removal',
        () => countWaiting(system),
        (count) => count === 1,
        4_000,
      );
      await client.query('COMMIT');
      expect(await triggered).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining('deploy it first') },
      });
    } finally {
      client.release(true);
    }
  });
});

describe('removing the files of old deployments', () => {
  test('keeps the newest, the current one and those in use, and says which went', async () => {
    const deployed = await deployTimes(1);
    const runId = await trigger(system, deployed);
    for (let each = 0; each < 6; each += 1) await deploy(deployed);
    const [inUse, a, current, b, c, second, newest] = deployed.ids as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    await expectStatus(200, system.call('POST', `${deployed.path}/${current}/activate`));

    const { body } = await expectStatus(200, system.call('POST', `${deployed.path}/prune`, { keep: 2 }));
    expect(body.pruned.map(({ id }: { id: string }) => id)).toEqual([c, b, a]);
    for (const each of body.pruned)
      expect(each).toMatchObject({ is_current: false, pruned_at: expect.any(String) });
    expect(await listed(deployed)).toEqual([newest, second, current, inUse]);
    expect(await Promise.all(deployed.ids.map(isStored))).toEqual([
      true,
      false,
      true,
      false,
      false,
      true,
      true,
    ]);
    expect((await auditOf('deployment.pruned', deployed.ids)).toSorted()).toEqual([a, b, c].toSorted());
    expect((await system.call('POST', `${deployed.path}/prune`, { keep: 2 })).body).toEqual({ pruned: [] });
    await endRun(runId);
  });

  test.each([{}, { keep: -1 }, { keep: 1.5 }, { keep: '3' }, { keep: 1, more: true }])(
    'is asked for with a number: %j is 400',
    async (body) => {
      const { path } = await deployTimes(1);
      expect((await system.call('POST', `${path}/prune`, body)).status).toBe(400);
    },
  );
});
