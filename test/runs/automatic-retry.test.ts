import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { Context } from '../../src/context.ts';
import { connectDatabase, type DatabaseConnection } from '../../src/db.ts';
import { retryByItself } from '../../src/runs/automatic-retry.ts';
import type { EndedRun } from '../../src/runs/lease.ts';
import { statusReasons } from '../../src/runs/status.ts';
import { createJob, ended, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { begin } from '../worker/probe.ts';
import { deployHalting, hasHalted, killed, statusesOf } from './halting.ts';

describe('where nobody sweeps', () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem({ environment: { DCTL_SWEEP_SECONDS: '60' } });
  });
  afterAll(() => system.stop());

  const get = async (id: string) => (await system.call('GET', `/api/v1/runs/${id}`)).body;

  test('a run that was killed is retried by itself after its delay, as often as its job says and no more', async () => {
    const command = `dbt run --select first+ --exclude broken+ --vars '{"halts": 2}'`;
    const fields = { automatic_retries: { attempts: 1, delay_seconds: 2 } };
    const runId = await begin(system, await deployHalting(system), command, fields);
    await hasHalted(system, runId);
    await killed(system, runId);
    const first = await ended(system, runId);
    const waiting = await get(first.retried_by);
    expect(waiting).toMatchObject({
      triggered_by: 'retry',
      requested_by: 'automatic retry',
      retry_of: runId,
      attempt: 2,
      command,
      steps: [{ command: 'dbt retry' }],
    });
    expect(Date.parse(waiting.not_before) - Date.parse(first.end_time)).toBeGreaterThanOrEqual(2_000);

    await hasHalted(system, waiting.id);
    const begun = await get(waiting.id);
    expect(Date.parse(begun.start_time)).toBeGreaterThanOrEqual(Date.parse(begun.not_before));
    await killed(system, waiting.id);
    expect(await ended(system, waiting.id)).toMatchObject({ status_reason: 'killed', retried_by: null });
    expect(await statusesOf(system, waiting.id)).toEqual({ halting: 'interrupted', last: 'skipped' });
  });
});

describe('when a run ends', () => {
  let system: System;
  let project: DeployedProject;
  let connection: DatabaseConnection;

  beforeAll(async () => {
    system = await startSystem({ workers: 0 });
    project = await deployHalting(system);
    const options = { maxConnections: 2, onError: () => undefined };
    connection = connectDatabase(system.environment['DATABASE_URL']!, options);
  });
  afterAll(async () => {
    await connection.close();
    await system.stop();
  });

  const get = async (runId: string) => (await system.call('GET', `/api/v1/runs/${runId}`)).body;

  /** What a run's end leads to, in a transaction that is kept. */
  async function endsWith(
    end: Partial<EndedRun>,
    {
      attempts = 1,
      spoil,
    }: { attempts?: number; spoil?: (runId: string, jobId: string) => Promise<unknown> } = {},
  ) {
    const fields = { enabled: true, automatic_retries: { attempts, delay_seconds: 86_400 } };
    const jobId = await createJob(system, project.projectId, fields);
    const id = await trigger(system, { ...project, jobId });
    const run = {
      id,
      jobId,
      projectId: project.projectId,
      organizationId: system.organizationId,
      attempt: 1,
      status: 'error',
      statusReason: 'killed',
      cause: 'the first time',
      metadata: { ticket: 7 },
      ...end,
    } as EndedRun;
    await system.pool.query(
      `UPDATE runs SET status = 'error', status_reason = 'killed', started_at = now(), finished_at = now(),
         lease_token = NULL, lease_expires_at = NULL WHERE id = $1`,
      [id],
    );
    await spoil?.(id, jobId);
    const lines: any[] = [];
    const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) });
    const retry = await connection.db.$transaction(async (tx) => {
      const recorded = await retryByItself(tx, { log } as Context, run);
      await tx.run.update({ where: { id }, data: { errorMessage: 'ended' } });
      return recorded;
    });
    const { rows } = await system.pool.query(
      'SELECT error_message, (SELECT id FROM runs retry WHERE retry.retry_of = runs.id) AS retry FROM runs WHERE id = $1',
      [id],
    );
    expect(rows).toEqual([{ error_message: 'ended', retry: retry?.runId ?? null }]);
    return { retry, lines };
  }

  const retried = ['runtime_unavailable', 'container_lost', 'engine_restarted', 'worker_lost', 'killed'];

  test.each(statusReasons.map((reason) => [reason, retried.includes(reason)] as const))(
    'as %s, that it is retried by itself is %s',
    async (statusReason, isRetried) => {
      const { retry } = await endsWith({ statusReason });
      expect(retry !== null).toBe(isRetried);
    },
  );

  test('with failed models or tests it is not retried by itself', async () => {
    expect((await endsWith({ status: 'failed', statusReason: null })).retry).toBeNull();
    expect((await endsWith({ status: 'partial', statusReason: null })).retry).toBeNull();
  });

  test('the retry has its cause and metadata, and the log of audits says who made it', async () => {
    const { retry } = await endsWith({});
    expect(await get(retry!.runId)).toMatchObject({ cause: 'the first time', metadata: { ticket: 7 } });
    const { body } = await system.call('GET', `/api/v1/audit?subject_id=${retry!.runId}`);
    expect(body.data).toMatchObject([{ action: 'run.triggered', actor: { kind: 'system' } }]);
  });

  test('for the last time that its job allows, it ends for good', async () => {
    expect((await endsWith({ attempt: 2 })).retry).toBeNull();
    expect((await endsWith({}, { attempts: 0 })).retry).toBeNull();
    expect((await endsWith({ attempt: 2 }, { attempts: 2 })).retry).not.toBeNull();
  });

  test('and its job was switched off or deleted meanwhile, it ends for good', async () => {
    const jobPath = (jobId: string) => `/api/v1/projects/${project.projectId}/jobs/${jobId}`;
    const off = (_: string, jobId: string) => system.call('PATCH', jobPath(jobId), { enabled: false });
    const deleted = (_: string, jobId: string) => expectStatus(204, system.call('DELETE', jobPath(jobId)));
    expect((await endsWith({}, { spoil: off })).retry).toBeNull();
    expect((await endsWith({}, { spoil: deleted })).retry).toBeNull();
  });

  test('what stops a retry does not keep it from its end, and the log says what it was', async () => {
    const unreadable = (runId: string) =>
      system.pool.query(`UPDATE runs SET settings = '{"steps": 1}' WHERE id = $1`, [runId]);
    const { retry, lines } = await endsWith({}, { spoil: unreadable });
    expect(retry).toBeNull();
    expect(lines).toMatchObject([{ level: 50, msg: 'a run could not be retried by itself' }]);

    const broken = async () => {
      await system.pool.query(
        'ALTER TABLE runs ADD CONSTRAINT no_retries CHECK (retry_of IS NULL) NOT VALID',
      );
    };
    const refused = await endsWith({}, { spoil: broken });
    await system.pool.query('ALTER TABLE runs DROP CONSTRAINT no_retries');
    expect(refused).toMatchObject({ retry: null, lines: [{ level: 50 }] });
  });
});
