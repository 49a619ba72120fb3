import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Queue } from 'bullmq';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { openContext } from '../../src/open-context.ts';
import { fireSchedule } from '../../src/runs/fire-schedule.ts';
import { emptyQueue } from '../support/messages.ts';
import { createJob, ended, expectStatus, type DeployedProject } from '../support/project.ts';
import {
  createScheduledJob,
  getJob,
  makeDue,
  openScheduleQueue,
  ringNow,
  runsOf,
  timesInQueue,
  yearly,
} from '../support/schedules.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { changeJob, deployProjectWithoutImage, type JobKey } from '../support/webhooks.ts';

const newYear = () => `${new Date().getUTCFullYear() + 1}-01-01T00:00:00.000Z`;
const isComing = (job: any) => Date.parse(job.schedule.next_run_at) > Date.now();

describe('what the queue rings for', () => {
  let system: System;
  let project: DeployedProject;
  let queue: Queue;

  beforeAll(async () => {
    // No sweep comes before the test is over.
    system = await startSystem({ environment: { DCTL_SWEEP_SECONDS: '3600' } });
    project = await deployProjectWithoutImage(system);
    queue = openScheduleQueue(system);
  });
  afterAll(async () => {
    await queue.close();
    await system.stop();
  });

  test('a schedule that is saved rings at its next time, in its timezone, and makes a run then', async () => {
    const job = await createScheduledJob(system, project);
    expect((await getJob(system, job)).schedule).toEqual({
      ...yearly,
      missed: 'run_once',
      next_run_at: newYear(),
      problem: null,
    });
    expect(await timesInQueue(queue, job)).toEqual({ ...yearly, next: new Date(newYear()) });

    const due = await makeDue(system, job);
    await ringNow(queue, job);
    const [run] = await until(
      'a run is there',
      () => runsOf(system, job),
      (runs) => runs.length > 0,
    );
    expect(run).toMatchObject({ triggered_by: 'schedule', requested_by: 'schedule', scheduled_for: due });
    expect(await ended(system, run.id)).toMatchObject({ status_reason: 'image_not_found' });
    expect((await getJob(system, job)).schedule).toMatchObject({ next_run_at: newYear(), problem: null });
    await until(
      'the queue will ring at the next time',
      () => timesInQueue(queue, job),
      (times) => times !== null && times.next > new Date(),
    );
  });

  test('a message that comes too early makes no run, and the time stays', async () => {
    const job = await createScheduledJob(system, project);
    await ringNow(queue, job);
    // What rang is handled by the time that what rang later is.
    const later = await createScheduledJob(system, project);
    await makeDue(system, later);
    await ringNow(queue, later);
    await until(
      'the later run is there',
      () => runsOf(system, later),
      (runs) => runs.length > 0,
    );
    expect(await runsOf(system, job)).toEqual([]);
    expect((await getJob(system, job)).schedule.next_run_at).toBe(newYear());
  });

  test('a change of the schedule rings at the new times, counted from now', async () => {
    const job = await createScheduledJob(system, project);
    await makeDue(system, job, 30);
    // On the day when the clock leaves that time out: BullMQ itself would ring half an hour later.
    const schedule = { cron: '30 2 * 3 0L', timezone: 'Europe/Berlin', missed: 'skip' };
    const { body } = await expectStatus(200, changeJob(system, job, { schedule }));
    expect(body.schedule).toMatchObject(schedule);
    expect(isComing(body)).toBe(true);
    expect(body.schedule.next_run_at).toMatch(/-03-[23].T01:00:00.000Z$/);
    expect(await timesInQueue(queue, job)).toEqual({
      cron: schedule.cron,
      timezone: schedule.timezone,
      next: new Date(body.schedule.next_run_at),
    });
  });

  test('the same schedule saved once more loses no time that is due', async () => {
    const job = await createScheduledJob(system, project);
    const due = await makeDue(system, job, 30);
    const { body } = await changeJob(system, job, { schedule: { ...yearly, missed: 'skip' } });
    expect(body.schedule).toMatchObject({ next_run_at: due, missed: 'skip' });
  });

  test('nothing rings for a job whose schedule was taken away, that was deleted, or whose project was', async () => {
    const [changed, deleted] = [
      await createScheduledJob(system, project),
      await createScheduledJob(system, project),
    ];
    const other = await deployProjectWithoutImage(system);
    const gone = await createScheduledJob(system, other);
    for (const job of [changed, deleted, gone]) expect(await timesInQueue(queue, job)).not.toBeNull();

    expect((await changeJob(system, changed, { schedule: null })).body.schedule).toBeNull();
    await expectStatus(
      204,
      system.call('DELETE', `/api/v1/projects/${project.projectId}/jobs/${deleted.jobId}`),
    );
    await expectStatus(204, system.call('DELETE', `/api/v1/projects/${other.projectId}`));
    for (const job of [changed, deleted, gone]) expect(await timesInQueue(queue, job)).toBeNull();
  });
});

describe('what the sweep makes up for', () => {
  let system: System;
  let project: DeployedProject;
  let queue: Queue;
  let context: ReturnType<typeof openContext>;
  let missed: { job: JobKey; due: string };
  let skipped: { job: JobKey; due: string };

  beforeAll(async () => {
    system = await startSystem({ workers: 0 });
    project = await deployProjectWithoutImage(system);
    queue = openScheduleQueue(system);
    context = openContext(readConfig(system.environment), createLog('setup', 'error'));
    // What was due while nothing was up.
    const minutely = { cron: '* * * * *', missed: 'run_once' };
    const job = await createScheduledJob(system, project, { schedule: minutely });
    missed = { job, due: await makeDue(system, job, 7_200) };
    const other = await createScheduledJob(system, project, { schedule: { ...yearly, missed: 'skip' } });
    skipped = { job: other, due: await makeDue(system, other, 61) };
    await Promise.all([system.startWorker(), system.startWorker()]);
  });
  afterAll(async () => {
    await queue.close();
    await context.close();
    await system.stop();
  });

  test('of many times missed while nothing was up, the last one gets its run', async () => {
    const runs = await until(
      'a run is there',
      () => runsOf(system, missed.job),
      (found) => found.length > 0,
    );
    await changeJob(system, missed.job, { schedule: null });
    const first = runs.at(-1);
    const late = Date.parse(first.created_at) - Date.parse(first.scheduled_for);
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(60_000);
    expect(first.scheduled_for > missed.due).toBe(true);
  });

  test('a time missed while nothing was up gets no run where the schedule says skip', async () => {
    const job = await until('the next time is to come', () => getJob(system, skipped.job), isComing);
    expect(job.schedule).toMatchObject({ next_run_at: newYear(), problem: null });
    expect(await runsOf(system, skipped.job)).toEqual([]);
  });

  test('a time is late, but not missed, within DCTL_SCHEDULE_LATE_SECONDS', async () => {
    const job = await createScheduledJob(system, project, { schedule: { ...yearly, missed: 'skip' } });
    const due = await makeDue(system, job, 30);
    const [run] = await until(
      'a run is there',
      () => runsOf(system, job),
      (runs) => runs.length > 0,
    );
    expect(run.scheduled_for).toBe(due);
  });

  test('a time makes one run, however many are told of it', async () => {
    const job = await createScheduledJob(system, project);
    const due = await makeDue(system, job, 5);
    await Promise.all(Array.from({ length: 20 }, () => fireSchedule(context, job.jobId)));
    expect(await runsOf(system, job)).toMatchObject([{ scheduled_for: due }]);
    // As if the clock of the database was set back.
    await system.pool.query('UPDATE jobs SET schedule_next_at = $2 WHERE id = $1', [job.jobId, due]);
    await until('the next time is to come', () => getJob(system, job), isComing);
    expect(await runsOf(system, job)).toHaveLength(1);
  });

  test('a job that is switched off makes no run and says why, until it makes one', async () => {
    const job = await createScheduledJob(system, project, { enabled: false });
    const due = await makeDue(system, job, 5);
    const off = await until('the next time is to come', () => getJob(system, job), isComing);
    expect(off.schedule.problem).toBe(`${due}: the job was switched off: set its field enabled to true.`);
    expect(await runsOf(system, job)).toEqual([]);

    await changeJob(system, job, { enabled: true });
    await makeDue(system, job, 5);
    const on = await until('the next time is to come', () => getJob(system, job), isComing);
    expect(on.schedule.problem).toBeNull();
    expect(await runsOf(system, job)).toHaveLength(1);
  });

  test('a project without code makes no run, and its job says why', async () => {
    const name = `empty-${Math.random().toString(36).slice(2)}`;
    const { body } = await expectStatus(201, system.call('POST', '/api/v1/projects', { name, type: 'dbt' }));
    const jobId = await createJob(system, body.id, { schedule: yearly });
    const job = { projectId: body.id, jobId };
    await makeDue(system, job, 5);
    const found = await until('the next time is to come', () => getJob(system, job), isComing);
    expect(found.schedule.problem).toContain('no code to run');
  });

  test('the times are set again when the queue was emptied, and those of nobody are removed', async () => {
    const jobs = [await createScheduledJob(system, project), await createScheduledJob(system, project)];
    await emptyQueue(system);
    for (const job of jobs) {
      await until(
        'the queue rings again',
        () => timesInQueue(queue, job),
        (times) => times !== null,
      );
    }
    await queue.upsertJobScheduler(
      'nobody',
      { pattern: '0 0 1 1 *' },
      { name: 'ring', data: { id: 'nobody' } },
    );
    await until(
      'nobody is rung for',
      () => queue.getJobScheduler('nobody'),
      (found) => found === undefined,
    );
  });
});

describe('while Redis is away', () => {
  let redis: RedisServer;
  let system: System;
  let queue: Queue;

  beforeAll(async () => {
    redis = await startRedis();
    system = await startSystem({ environment: { REDIS_URL: redis.url } });
    queue = openScheduleQueue(system);
    queue.on('error', () => undefined);
  });
  afterAll(async () => {
    await queue.close();
    await system.stop();
    await redis.close();
  });

  test('a schedule is saved within 2 s and comes, and its times are set when Redis is back, empty', async () => {
    const project = await deployProjectWithoutImage(system);
    const before = await createScheduledJob(system, project);
    await redis.kill();

    const askedAt = performance.now();
    const job = await createScheduledJob(system, project);
    expect(performance.now() - askedAt).toBeLessThan(2_000);
    const due = await makeDue(system, job);
    const [run] = await until(
      'a run is there',
      () => runsOf(system, job),
      (runs) => runs.length > 0,
    );
    expect(run.scheduled_for).toBe(due);

    await redis.start();
    for (const each of [before, job]) {
      await until(
        'the queue rings',
        () => timesInQueue(queue, each),
        (times) => times !== null,
      );
    }
  });
});
