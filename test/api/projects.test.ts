import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { archiveOf, smallProject } from '../support/archive.ts';
import { asAnotherOrganization, insertToken, withToken } from '../support/organization.ts';
import { deployProject, expectStatus, trigger } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { countWaiting } from '../support/waiting.ts';

let system: System;
const unknown = { status: 404, body: { detail: 'There is no such project.' } };

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
});
afterAll(() => system.stop());

const anyName = () => `project-${Math.random().toString(36).slice(2)}`;

async function auditOf(subjectId: string): Promise<{ action: string; details: unknown; actor: string }[]> {
  const sql = `SELECT action, details, actor_name AS actor FROM audit_events WHERE subject_id = $1 ORDER BY created_at`;
  return (await system.pool.query(sql, [subjectId])).rows;
}

async function beginRun(runId: string): Promise<void> {
  const sql = `UPDATE runs SET status = 'running', started_at = now(), lease_token = 'held',
    lease_expires_at = now() + interval '1 hour' WHERE id = $1`;
  await system.pool.query(sql, [runId]);
}

async function endRuns(projectId: string): Promise<void> {
  const sql = `UPDATE runs SET status = 'success', finished_at = now(), lease_token = NULL WHERE project_id = $1`;
  await system.pool.query(sql, [projectId]);
}

describe('a project', () => {
  test('is renamed, and who did it is noted', async () => {
    const { projectId } = await deployProject(system);
    const name = anyName();
    const path = `/api/v1/projects/${projectId}`;
    expect(await system.call('PATCH', path, { name })).toMatchObject({
      status: 200,
      body: { id: projectId, name },
    });
    expect((await system.call('GET', path)).body.name).toBe(name);
    // Nothing changes: nothing to note.
    await expectStatus(200, system.call('PATCH', path, { name }));
    await expectStatus(200, system.call('PATCH', path, {}));
    expect((await auditOf(projectId)).filter(({ action }) => action === 'project.changed')).toMatchObject([
      { details: { fields: ['name'] } },
    ]);
  });

  test("does not take another's name, no name, or another type", async () => {
    const [first, second] = [await deployProject(system), await deployProject(system)];
    const { name } = (await system.call('GET', `/api/v1/projects/${first.projectId}`)).body;
    const path = `/api/v1/projects/${second.projectId}`;
    expect(await system.call('PATCH', path, { name })).toMatchObject({
      status: 409,
      body: { detail: 'A project with this name exists. Choose another name.' },
    });
    for (const change of [{ name: '' }, { name: 'a\nb' }, { name: null }, { type: 'dbt' }])
      expect(await system.call('PATCH', path, change)).toMatchObject({ status: 400 });
  });

  test('is changed and deleted with the scope admin only, and by its own organization', async () => {
    const { projectId } = await deployProject(system);
    const path = `/api/v1/projects/${projectId}`;
    const trigger = withToken(system, await insertToken(system, { scope: 'trigger' }));
    const other = await asAnotherOrganization(system);
    for (const [method, body] of [
      ['PATCH', { name: anyName() }],
      ['DELETE', undefined],
    ] as const) {
      expect((await trigger.call(method, path, body)).status).toBe(403);
      const foreign = await other.call(method, path, body);
      expect(foreign).toMatchObject(unknown);
      expect(foreign.text).toBe((await other.call(method, '/api/v1/projects/none', body)).text);
    }
    expect((await system.call('GET', path)).status).toBe(200);
  });
});

describe('deleting a project', () => {
  test('is refused while a run of it is queued or running', async () => {
    const project = await deployProject(system);
    const path = `/api/v1/projects/${project.projectId}`;
    const runId = await trigger(system, project);
    for (const status of ['queued', 'running']) {
      if (status === 'running') await beginRun(runId);
      expect(await system.call('DELETE', path)).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining('One run of the project is queued or running') },
      });
    }
    expect((await system.call('GET', path)).status).toBe(200);
    await endRuns(project.projectId);
    expect((await system.call('DELETE', path)).status).toBe(204);
  });

  test('hides it with its jobs and environments, frees its name and its disk, and keeps its runs', async () => {
    const name = anyName();
    const project = await deployProject(system, { name });
    const { projectId, jobId, environmentId } = project;
    const path = `/api/v1/projects/${projectId}`;
    const { deployment } = (await system.call('GET', path)).body;
    const files = join(system.environment['DCTL_STORAGE_DIR']!, 'deployments', `${deployment.id}.tar`);
    await access(files);
    const runId = await trigger(system, project);
    await endRuns(projectId);

    expect(await system.call('DELETE', path)).toMatchObject({ status: 204, text: '' });
    await expect(access(files)).rejects.toThrow('ENOENT');
    expect((await auditOf(projectId)).map(({ action }) => action)).toContain('project.deleted');
    const { body: list } = await system.call('GET', '/api/v1/projects?limit=200');
    expect(list.data.map(({ id }: { id: string }) => id)).not.toContain(projectId);

    const archive = await archiveOf(smallProject);
    const gzip = { 'content-type': 'application/gzip' };
    const calls: [string, string, unknown?, Record<string, string>?][] = [
      ['GET', ''],
      ['PATCH', '', { name: anyName() }],
      ['DELETE', ''],
      ['GET', '/jobs'],
      ['POST', '/jobs', { name: 'late', command: 'dbt build' }],
      ['GET', `/jobs/${jobId}`],
      ['PATCH', `/jobs/${jobId}`, { name: 'late' }],
      ['DELETE', `/jobs/${jobId}`],
      ['POST', `/jobs/${jobId}/trigger`],
      ['GET', `/jobs/${jobId}/deliveries`],
      ['POST', `/jobs/${jobId}/webhook/test`],
      ['POST', `/jobs/${jobId}/webhook/reveal-secret`],
      ['GET', '/environments'],
      ['PATCH', `/environments/${environmentId}`, { memory_mb: 512 }],
      ['GET', '/deployments'],
      ['POST', '/deployments', archive, gzip],
      ['POST', '/deployments/prune', { keep: 1 }],
      ['GET', `/deployments/${deployment.id}`],
      ['POST', `/deployments/${deployment.id}/activate`],
      ['DELETE', `/deployments/${deployment.id}`],
    ];
    for (const [method, rest, body, headers] of calls) {
      const { status } = await system.call(method, path + rest, body, headers);
      expect({ call: `${method} ${rest}`, status }).toEqual({ call: `${method} ${rest}`, status: 404 });
    }
    for (const rest of ['', '/logs', '/nodes', '/artifacts', '/deliveries'])
      expect((await system.call('GET', `/api/v1/runs/${runId}${rest}`)).status).toBe(200);

    const again = await deployProject(system, { name });
    expect(again.projectId).not.toBe(projectId);
  });

  test('waits for a trigger that is recording a run, and is refused then', async () => {
    const project = await deployProject(system);
    const path = `/api/v1/projects/${project.projectId}`;
    const { deployment } = (await system.call('GET', path)).body;
    const runId = await trigger(system, project);
    await endRuns(project.projectId);
    const client = await system.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('SELECT FROM deployments WHERE id = $1 FOR KEY SHARE', [deployment.id]);
      await client.query(`UPDATE runs SET status = 'queued', finished_at = NULL WHERE id = $1`, [runId]);
      const deleting = system.call('DELETE', path);
      await until(
        'it waits for the trigger',
        () => countWaiting(system),
        (count) => count === 1,
        4_000,
      );
      await client.query('COMMIT');
      expect((await deleting).status).toBe(409);
    } finally {
      client.release(true);
    }
    expect((await system.call('GET', path)).status).toBe(200);
  });

  test('while somebody deploys to it leaves nothing of the deployment', async () => {
    const { projectId } = await deployProject(system);
    const archive = await archiveOf(smallProject);
    const gzip = { 'content-type': 'application/gzip' };
    const path = `/api/v1/projects/${projectId}`;
    const client = await system.pool.connect();
    try {
      // Held here, the deployment is unpacked before the deletion and recorded after it.
      await client.query('BEGIN');
      await client.query('UPDATE projects SET deleted_at = now() WHERE id = $1', [projectId]);
      const deploying = system.call('POST', `${path}/deployments`, archive, gzip);
      await until(
        'it waits for the project',
        () => countWaiting(system),
        (count) => count === 1,
        4_000,
      );
      await client.query('COMMIT');
      expect(await deploying).toMatchObject(unknown);
    } finally {
      client.release(true);
    }
    const { rows } = await system.pool.query('SELECT id FROM deployments WHERE project_id = $1', [projectId]);
    const stored = await readdir(join(system.environment['DCTL_STORAGE_DIR']!, 'deployments'));
    const { rows: all } = await system.pool.query('SELECT id FROM deployments WHERE pruned_at IS NULL');
    expect(rows).toHaveLength(1);
    expect(stored.toSorted()).toEqual(all.map(({ id }) => `${id}.tar`).toSorted());
  });
});
