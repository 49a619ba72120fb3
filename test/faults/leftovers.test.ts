import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { expectInvariants } from '../support/invariants.ts';
import type { TestProcess } from '../support/process.ts';
import {
  createJob,
  deployProject,
  ended,
  expectStatus,
  trigger,
  type DeployedProject,
} from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { createWebhookJob, deliveriesOf } from '../support/webhooks.ts';
import { deployProbe, logOf } from '../worker/probe.ts';

const leaseSeconds = 2;
const sweepSeconds = 0.5;
const lostSeconds = 1;
/** The promise is the lease, a sweep and 2 s; the rest is for a busy machine. */
const sweptMs = (leaseSeconds + sweepSeconds + 2 + 2) * 1_000;
const other = `another-${randomBytes(4).toString('hex')}`;

let system: System;
let project: DeployedProject;
let receiver: Receiver;
let installation: string;

beforeAll(async () => {
  const environment = {
    DCTL_LEASE_SECONDS: String(leaseSeconds),
    DCTL_SWEEP_SECONDS: String(sweepSeconds),
    DCTL_CLEAN_UP_SECONDS: String(sweepSeconds),
    DCTL_WORKER_LOST_SECONDS: String(lostSeconds),
  };
  system = await startSystem({ workers: 0, environment });
  project = await deployProbe(system);
  receiver = await startReceiver((response) => response.end());
  installation = (await system.pool.query('SELECT id FROM installation')).rows[0].id;
});
afterAll(async () => {
  await receiver.close();
  await system.stop();
});

const started = new Map<string, Promise<TestProcess>>();

/** Once for each name. */
function startWorker(name: string): Promise<TestProcess> {
  const worker = started.get(name) ?? system.startWorker({ DCTL_WORKER_NAME: name });
  started.set(name, worker);
  return worker;
}

// F6
test('a run whose workers are all gone is ended once its time has long been over; the next worker sends its webhook once and removes its container', async () => {
  const worker = await system.startWorker();
  const command = `dbt run --select counting --vars '{"lines": 300, "pause": 0.2}'`;
  const job = await createWebhookJob(system, project, receiver.url, { command, timeout_seconds: 600 });
  const runId = await trigger(system, job);
  // Only then it has been told what to run.
  await until(
    'it prints',
    () => logOf(system, runId),
    (log) => log.includes('line 1'),
  );
  worker.signal('SIGKILL');
  await worker.ended;
  // As if its time had been so short: a worker would have ended it by then.
  await system.pool.query(
    `UPDATE runs SET settings = jsonb_set(settings, '{timeoutSeconds}', '1') WHERE id = $1`,
    [runId],
  );

  const run = await ended(system, runId);
  expect(run).toMatchObject({
    status: 'error',
    status_reason: 'worker_lost',
    error_message: expect.stringContaining('No worker was there'),
  });
  expect(run.duration_seconds).toBeGreaterThanOrEqual(1 + lostSeconds);
  expect(await goneAt(runId)).toBeNull();
  expect(await deliveriesOf(system, job)).toMatchObject([{ run_id: runId, state: 'pending' }]);
  expect((await containersOf(runId)).map(({ State }) => State)).toEqual(['running']);
  const { text } = await system.call('GET', '/metrics');
  expect(text).toMatch(/^dctl_runs_ended_total\{status="error",reason="worker_lost"\} 1$/m);

  await startWorker('one');
  await until('its container is gone', () => containersOf(runId), isEmpty);
  await until(
    'its webhook is delivered',
    () => deliveriesOf(system, job),
    ([delivery]) => delivery?.state === 'delivered',
  );
  expect(receiver.hits.map(({ body }) => JSON.parse(body.toString()).conf.event)).toEqual(['job.failed']);
  const gone = await until(
    'that is noted',
    () => goneAt(runId),
    (at) => at !== null,
  );
  expect(gone!.getTime()).toBeGreaterThan(Date.parse(run.end_time));
  await expectInvariants(system);
});

// F25
test('containers of this installation whose run has ended or is not known are removed, and no others', async () => {
  await startWorker('one');
  const over = await endedRun();
  const open = await openRun();
  const stay = [
    await container({ 'dctl.run_id': randomUUID(), 'dctl.installation_id': other }),
    await container({ 'dctl.run_id': over, 'dctl.installation_id': other }),
    await container({ 'dctl.run_id': randomUUID() }),
    await container({ 'dctl.run_id': open, 'dctl.installation_id': installation }),
    await container({ 'dctl.run_id': open }),
    await container({ 'dctl.installation_id': installation }),
    await container({}),
  ];
  const go = [
    await container(
      { 'dctl.run_id': randomUUID(), 'dctl.installation_id': installation },
      { isStarted: true },
    ),
    await container({ 'dctl.run_id': over, 'dctl.installation_id': installation }),
    // Made before containers had the label of an installation.
    await container({ 'dctl.run_id': over }),
  ];
  try {
    await until('the leftovers are gone', () => present(go), isEmpty, sweptMs);
    expect(await present(stay)).toEqual(stay);
  } finally {
    for (const id of await present(stay))
      await system.docker.getContainer(id).remove({ force: true, v: true });
    await forget(open);
  }
});

test('data volumes of deleted environments and projects are removed, and no others', async () => {
  await startWorker('one');
  const elsewhere = await deployProject(system);
  const [deleted, used, foreign, busy, kept] = [
    await environment(),
    await environment(),
    await environment(),
    await environment(),
    await environment(),
  ];
  const open = await openRun();
  await system.pool.query('UPDATE runs SET environment_id = $2 WHERE id = $1', [open, busy]);
  const stay = [
    await volumeOf(used, installation),
    await volumeOf(foreign, other),
    await volumeOf(busy, installation),
    await volumeOf(kept, installation),
    await volumeOf(randomUUID(), null),
    await volumeOf(randomUUID(), other),
    await volume({ 'dctl.run_id': open, 'dctl.installation_id': installation }),
    await volume({ 'dctl.run_id': randomUUID(), 'dctl.installation_id': other }),
    await volume({}),
  ];
  const go = [
    await volumeOf(deleted, installation),
    await volumeOf(elsewhere.environmentId, null),
    await volume({ 'dctl.run_id': randomUUID(), 'dctl.installation_id': installation }),
  ];
  const user = await container({}, { volume: stay[0]! });
  try {
    for (const id of [deleted, used, foreign, busy]) {
      const path = `/api/v1/projects/${project.projectId}/environments/${id}`;
      await expectStatus(204, system.call('DELETE', path));
    }
    await expectStatus(204, system.call('DELETE', `/api/v1/projects/${elsewhere.projectId}`));
    await until('they are gone', () => presentVolumes(go), isEmpty, sweptMs);
    expect(await presentVolumes(stay)).toEqual(stay);
    await forget(open);
    await system.docker.getContainer(user).remove({ force: true });
    const free = [stay[0]!, stay[2]!];
    await until(
      'those that nobody needs any more are gone, too',
      () => presentVolumes(free),
      isEmpty,
      sweptMs,
    );
  } finally {
    await forget(open);
    for (const id of await present([user])) await system.docker.getContainer(id).remove({ force: true });
    for (const name of await presentVolumes(stay)) await system.docker.getVolume(name).remove();
  }
});

test('the volume of a work folder goes with its container, and has the labels by which it is found without it', async () => {
  await startWorker('one');
  const runId = await trigger(system, await quickJob());
  const volumes = () =>
    system.docker
      .listVolumes({ filters: { label: [`dctl.run_id=${runId}`] } })
      .then((found) => found.Volumes);
  const [work] = await until('it is there', volumes, ({ length }) => length === 1);
  expect(work!.Labels).toMatchObject({ 'dctl.installation_id': installation });
  expect(await ended(system, runId)).toMatchObject({ status: 'success' });
  await until('it is gone', volumes, isEmpty);
  const data = await system.docker.getVolume(`dctl-data-${project.environmentId}`).inspect();
  expect(data.Labels).toMatchObject({
    'dctl.installation_id': installation,
    'dctl.environment_id': project.environmentId,
  });
  await expectInvariants(system);
});

test('one worker sweeps at a time; when it freezes meanwhile, another goes on within the lease and a sweep', async () => {
  const names = ['one', 'two'];
  const workers = new Map([
    ['one', await startWorker('one')],
    ['two', await startWorker('two')],
  ]);
  const blocker = await system.pool.connect();
  let frozen: string | undefined;
  try {
    // Whoever sweeps gets as far as the webhooks.
    await blocker.query('BEGIN; LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE');
    let [first, looks] = ['', 0];
    await until(
      'one has the turn while the other asks for it several times',
      async () => {
        const [sweeper = '', ...others] = await sweepers();
        expect(others).toEqual([]);
        // One that was past the webhooks when they were locked ends, and begins anew.
        looks = sweeper !== '' && sweeper === first ? looks + 1 : 0;
        first = sweeper;
        return looks;
      },
      (count) => count === 40,
    );
    frozen = names.find((name) => first.endsWith(name))!;
    workers.get(frozen)!.signal('SIGSTOP');
    await blocker.query('ROLLBACK');
    const frozenAt = performance.now();
    const deliveryId = await halfSent();
    await until(
      `${deliveryId} is unknown`,
      () => stateOf(deliveryId),
      (state) => state === 'unknown',
      sweptMs,
    );
    console.info(`swept by the other worker after ${Math.round(performance.now() - frozenAt)} ms`);

    const [back, rest] = names.toSorted((name) => (name === frozen ? -1 : 1));
    workers.get(back!)!.signal('SIGCONT');
    frozen = undefined;
    workers.get(rest!)!.signal('SIGKILL');
    await workers.get(rest!)!.ended;
    const another = await halfSent();
    await until(
      `${another} is unknown`,
      () => stateOf(another),
      (state) => state === 'unknown',
      sweptMs,
    );
  } finally {
    await blocker.query('ROLLBACK');
    blocker.release();
    if (frozen !== undefined) workers.get(frozen)!.signal('SIGCONT');
  }
});

/** The names of the connections that hold the turn to sweep. */
async function sweepers(): Promise<string[]> {
  const { rows } = await system.pool.query<{ name: string }>(`
    SELECT DISTINCT application_name AS name FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE locktype = 'advisory' AND granted AND application_name LIKE 'dctl sweep,%' AND datname = current_database()`);
  return rows.map(({ name }) => name);
}

/** A webhook whose worker died while it was being sent. */
async function halfSent(): Promise<string> {
  const id = randomUUID();
  await system.pool.query(
    `INSERT INTO deliveries (id, job_id, kind, event, url, body, headers, secret, state, sending_since)
     VALUES ($1, $2, 'test', 'job.completed', 'http://127.0.0.1:9/', '{}', '', '', 'sending', now() - interval '1 hour')`,
    [id, project.jobId],
  );
  await system.pool.query('INSERT INTO delivery_tries (delivery_id, number) VALUES ($1, 1)', [id]);
  return id;
}

async function stateOf(deliveryId: string): Promise<string> {
  const { rows } = await system.pool.query('SELECT state FROM deliveries WHERE id = $1', [deliveryId]);
  return rows[0].state;
}

async function quickJob() {
  const command = 'dbt run-operation say';
  return { ...project, jobId: await createJob(system, project.projectId, { command }) };
}

/** A run that has come to its end long ago. */
function endedRun(): Promise<string> {
  return insertRun('error');
}

/** A run that a worker is at, and goes on to be. */
function openRun(): Promise<string> {
  return insertRun('running');
}

async function insertRun(status: 'error' | 'running'): Promise<string> {
  const id = randomUUID();
  await system.pool.query(
    `INSERT INTO runs (id, organization_id, project_id, job_id, deployment_id, environment_id, name, command,
       triggered_by, settings, status, status_reason, error_message, started_at, finished_at, duration_ms, lease_token,
       lease_expires_at)
     SELECT $1, organization_id, id, $2, deployment_id, $3, 'inserted', 'dbt build', 'api', '{"timeoutSeconds": 3600}',
       $4::text, CASE WHEN $4 = 'error' THEN 'killed' END, CASE WHEN $4 = 'error' THEN 'it was killed' END, now(),
       CASE WHEN $4 = 'error' THEN now() END, CASE WHEN $4 = 'error' THEN 0 END, CASE WHEN $4 = 'running' THEN 'a token' END,
       CASE WHEN $4 = 'running' THEN now() + interval '1 hour' END
     FROM projects WHERE id = $5`,
    [id, project.jobId, project.environmentId, status, project.projectId],
  );
  return id;
}

async function forget(runId: string): Promise<void> {
  await system.pool.query('DELETE FROM runs WHERE id = $1', [runId]);
}

async function environment(): Promise<string> {
  const path = `/api/v1/projects/${project.projectId}/environments`;
  const name = `environment-${randomBytes(4).toString('hex')}`;
  return (await expectStatus(201, system.call('POST', path, { name }))).body.id;
}

async function container(
  labels: Record<string, string>,
  options: { isStarted?: boolean; volume?: string } = {},
): Promise<string> {
  const created = await system.docker.createContainer({
    Image: system.environment['DCTL_RUNNER_IMAGE']!,
    Entrypoint: [],
    Cmd: ['sleep', '600'],
    Labels: labels,
    HostConfig: {
      NetworkMode: 'none',
      Init: true,
      Binds: options.volume === undefined ? [] : [`${options.volume}:/data`],
    },
  });
  if (options.isStarted) await created.start();
  return created.id;
}

function volumeOf(environmentId: string, installationId: string | null): Promise<string> {
  const ours = installationId === null ? {} : { 'dctl.installation_id': installationId };
  return volume({ 'dctl.environment_id': environmentId, ...ours }, `dctl-data-${environmentId}`);
}

async function volume(
  labels: Record<string, string>,
  name = `test-${randomBytes(4).toString('hex')}`,
): Promise<string> {
  await system.docker.createVolume({ Name: name, Labels: labels });
  return name;
}

async function goneAt(runId: string): Promise<Date | null> {
  const { rows } = await system.pool.query('SELECT container_gone_at AS at FROM runs WHERE id = $1', [runId]);
  return rows[0].at;
}

function containersOf(runId: string) {
  return system.docker.listContainers({ all: true, filters: { label: [`dctl.run_id=${runId}`] } });
}

async function present(ids: string[]): Promise<string[]> {
  const found = new Set((await system.docker.listContainers({ all: true })).map(({ Id }) => Id));
  return ids.filter((id) => found.has(id));
}

async function presentVolumes(names: string[]): Promise<string[]> {
  const found = new Set((await system.docker.listVolumes()).Volumes.map(({ Name }) => Name));
  return names.filter((name) => found.has(name));
}

function isEmpty({ length }: unknown[]): boolean {
  return length === 0;
}
