import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { asAnotherOrganization } from '../support/organization.ts';
import { deployProject, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let stranger: System;
let project: DeployedProject;
let runId: string;
let operations: { method: string; path: string; names: string[]; uploads: boolean }[];

const unknown = '00000000-0000-4000-8000-000000000000';

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system, { name: 'ours' });
  runId = await trigger(system, project, { cause: 'ours alone' });
  stranger = await asAnotherOrganization(system);
  operations = await operationsWithIds();
});
afterAll(() => system.stop());

/** Every operation of the API that names a thing by its id. */
async function operationsWithIds() {
  const { body: document } = await system.call('GET', '/api/openapi.json');
  const all = Object.entries<Record<string, any>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      names: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!),
      uploads: operation.requestBody?.content['application/gzip'] !== undefined,
    })),
  );
  return all.filter(({ names }) => names.length > 0);
}

const ours = (): Record<string, string> => ({
  project_id: project.projectId,
  job_id: project.jobId,
  environment_id: project.environmentId,
  run_id: runId,
  path: 'manifest.json',
});

/** A body each operation would take: so that only the id can be what is wrong. */
const bodies: Record<string, unknown> = { createJob: { name: 'theirs', command: 'dbt build' } };

function callAs(
  who: System,
  { method, path, uploads }: (typeof operations)[number],
  ids: Record<string, string>,
) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? unknown);
  if (uploads) return who.call(method, filled, Buffer.from('x'), { 'content-type': 'application/gzip' });
  const body =
    method === 'POST' && path.endsWith('/jobs') ? bodies['createJob'] : method === 'GET' ? undefined : {};
  return who.call(method, filled, body);
}

describe('to another organization', () => {
  test('everything that has an id looks as if it did not exist', async () => {
    expect(operations.length).toBeGreaterThan(10);
    for (const operation of operations) {
      const foreign = await callAs(stranger, operation, ours());
      const missing = await callAs(stranger, operation, {});
      const where = `${operation.method} ${operation.path}`;
      expect({ where, status: foreign.status }).toEqual({ where, status: 404 });
      expect({ where, text: foreign.text }).toEqual({ where, text: missing.text });
    }
  });

  test('an id of ours below an id of theirs does not exist either', async () => {
    const theirs = await deployProject(stranger);
    for (const operation of operations.filter(({ names }) => names.length > 1 && names[0] === 'project_id')) {
      const answer = await callAs(stranger, operation, { ...ours(), project_id: theirs.projectId });
      const where = `${operation.method} ${operation.path}`;
      expect({ where, status: answer.status }).toEqual({ where, status: 404 });
    }
  });

  test('lists hold nothing of ours', async () => {
    const other = await asAnotherOrganization(system);
    for (const list of ['/api/v1/projects', '/api/v1/runs']) {
      expect((await other.call('GET', list)).body).toEqual({ data: [], next_cursor: null });
    }
  });

  test('nothing it tried has left a trace', async () => {
    for (const operation of operations) await callAs(stranger, operation, ours());
    const { body: job } = await system.call(
      'GET',
      `/api/v1/projects/${project.projectId}/jobs/${project.jobId}`,
    );
    expect(job.name).toBe('scheduled-run');
    const { rows } = await system.pool.query(
      'SELECT count(*)::int AS count FROM runs WHERE project_id = $1',
      [project.projectId],
    );
    expect(rows[0].count).toBe(1);
  });
});
