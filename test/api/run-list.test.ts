import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createJob, deployProject, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
});
afterAll(() => system.stop());

/** Ids of all pages of a list; `between` happens after the first page. */
async function readPages(
  list: string,
  limit: number,
  between: () => Promise<unknown> = async () => undefined,
) {
  const ids: string[] = [];
  const sizes: number[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const query = cursor === '' ? `limit=${limit}` : `limit=${limit}&cursor=${encodeURIComponent(cursor)}`;
    const { body }: { body: any } = await expectStatus(200, system.call('GET', `${list}?${query}`));
    if (ids.length === 0) await between();
    ids.push(...body.data.map(({ id }: { id: string }) => id));
    sizes.push(body.data.length);
    cursor = body.next_cursor;
  }
  return { ids, sizes };
}

test('runs are listed newest first, in pages without gap or repeat, also where many began in one millisecond', async () => {
  const triggered: string[] = [];
  for (let count = 0; count < 23; count += 1) triggered.push(await trigger(system, project));
  await system.pool.query(
    "UPDATE runs SET created_at = date_trunc('second', created_at) WHERE id = ANY($1)",
    [triggered.slice(0, 15)],
  );

  const late = () => trigger(system, project);
  const { ids, sizes } = await readPages('/api/v1/runs', 5, late);
  expect(sizes).toEqual([5, 5, 5, 5, 3]);
  expect(ids.toSorted()).toEqual(triggered.toSorted());
  expect(ids.slice(0, 8)).toEqual(triggered.slice(15).toReversed());
  expect((await readPages('/api/v1/runs', 200)).sizes).toEqual([24]);
});

test('a page that ends with the last item says there is no more', async () => {
  const other = await deployProject(system);
  const jobs = `/api/v1/projects/${other.projectId}/jobs`;
  for (let count = 0; count < 3; count += 1) await createJob(system, other.projectId, {});
  expect(await readPages(jobs, 2)).toMatchObject({ sizes: [2, 2] });
});

test('projects and jobs are listed oldest first, in pages without gap or repeat', async () => {
  const jobIds = [];
  for (let count = 0; count < 7; count += 1) jobIds.push(await createJob(system, project.projectId, {}));
  const { ids } = await readPages(`/api/v1/projects/${project.projectId}/jobs`, 3);
  expect(ids).toEqual([project.jobId, ...jobIds]);

  const created = [];
  for (const name of ['a', 'c', 'b'])
    created.push((await system.call('POST', '/api/v1/projects', { name })).body.id);
  const projects = await readPages('/api/v1/projects', 1);
  expect(projects.ids.slice(-3)).toEqual(created);
  expect(new Set(projects.ids).size).toBe(projects.ids.length);
});
