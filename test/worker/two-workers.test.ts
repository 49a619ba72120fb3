import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { watchCreatedContainers } from '../support/created-containers.ts';
import { createJob, ended, trigger } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { deployProbe } from './probe.ts';

const runCount = 20;
const jobCount = 3;

let system: System;

beforeAll(async () => {
  // One run at a time each, so that neither can do all the work.
  system = await startSystem({ workers: 2, environment: { DCTL_WORKER_CONCURRENCY: '1' } });
});
afterAll(() => system.stop());

test('two workers share 20 runs of 3 jobs: each is executed once, a job never twice at once, the oldest first', async () => {
  const created = await watchCreatedContainers(system.docker);
  const project = await deployProbe(system);
  const command = 'dbt run-operation say';
  const jobIds = await Promise.all(
    Array.from({ length: jobCount }, () => createJob(system, project.projectId, { command })),
  );
  const triggered: { runId: string; jobId: string }[] = [];
  for (let number = 0; number < runCount; number += 1) {
    const jobId = jobIds[number % jobCount]!;
    triggered.push({ jobId, runId: await trigger(system, { ...project, jobId }) });
  }

  for (const { runId } of triggered) {
    expect(await ended(system, runId, 300_000)).toMatchObject({ status: 'success' });
    expect(created.of(runId)).toHaveLength(1);
  }
  created.close();

  const { rows } = await system.pool.query<Row>('SELECT * FROM runs ORDER BY started_at');
  expect(rows.map(({ fence }) => fence)).toEqual(Array(runCount).fill(1));
  expect(new Set(rows.map(({ worker_name }) => worker_name)).size).toBe(2);
  for (const jobId of jobIds) {
    const runs = rows.filter((row) => row.job_id === jobId);
    expect(runs.map(({ id }) => id)).toEqual(
      triggered.filter((each) => each.jobId === jobId).map(({ runId }) => runId),
    );
    for (const [index, { started_at }] of runs.entries()) {
      const before = runs[index - 1];
      if (before !== undefined)
        expect(started_at.getTime()).toBeGreaterThanOrEqual(before.finished_at.getTime());
    }
  }
}, 320_000);

interface Row {
  id: string;
  job_id: string;
  fence: number;
  worker_name: string;
  started_at: Date;
  finished_at: Date;
}
