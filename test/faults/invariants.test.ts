import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { expectInvariants } from '../support/invariants.ts';
import { deployProject, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

/** No worker: whatever happens to a run here is a fault that is made up, as a broken worker would commit it. */
let system: System;
let project: DeployedProject;
let faulty: pg.Client;
let runId: string;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
  faulty = new pg.Client({ connectionString: system.environment['DATABASE_URL'] });
  await faulty.connect();
});
afterAll(async () => {
  await faulty.end();
  await forgetRuns();
  await system.stop();
});
beforeEach(async () => {
  await forgetRuns();
  runId = await trigger(system, project);
});

const withinMs = 300;

test('a run without an end is found', async () => {
  await expect(expectInvariants(system, { withinMs })).rejects.toThrow(runId);
  await end('error');
  await expectInvariants(system);
});

test('a run that waits for its time is none without an end', async () => {
  await faulty.query(`UPDATE runs SET not_before = now() + interval '1 hour' WHERE id = $1`, [runId]);
  await expectInvariants(system, { withinMs });
});

test('an end that changes, or comes twice, is found; what a test changes by hand is not', async () => {
  await end('success');
  await system.pool.query(`UPDATE runs SET status = 'queued', finished_at = NULL WHERE id = $1`, [runId]);
  await end('error');
  await expectInvariants(system);
  await end('success');
  await expect(expectInvariants(system)).rejects.toThrow('it was error, then became success');
  await expect(expectInvariants(system)).rejects.toThrow('it came to 2 ends');
});

test('a second container of one claim, a second execution and two that run at once are found', async () => {
  await end('success');
  const first = await container(1);
  await remove(first);
  await expectInvariants(system);
  const second = await container(1);
  await expect(expectInvariants(system, { withinMs })).rejects.toThrow(
    'no container of an ended run is left',
  );
  const third = await container(2);
  await second.start();
  await third.start();
  await Promise.all([second, third].map(remove));
  const found = await expectInvariants(system).catch((error: Error) => error.message);
  expect(found).toContain('2 containers were made under fence 1');
  expect(found).toContain('it was executed 2 times');
  expect(found).toContain('2 containers ran at once');
});

test('a second webhook of a run, and a third try of a webhook, are found', async () => {
  await end('success');
  await deliver('one');
  for (const number of [1, 2])
    await faulty.query(`INSERT INTO delivery_tries (delivery_id, number) VALUES ('one', $1)`, [number]);
  await expectInvariants(system);
  await faulty.query(`INSERT INTO delivery_tries (delivery_id, number) VALUES ('one', 3)`);
  await expect(expectInvariants(system)).rejects.toThrow('webhook one: it was tried 3 times');
  // The database itself refuses it as well.
  await expect(deliver('two')).rejects.toThrow('unique');
});

async function forgetRuns(): Promise<void> {
  await system.pool.query('TRUNCATE runs, deliveries, delivery_tries, test_notes.status_changes CASCADE');
}

async function end(status: string): Promise<void> {
  await faulty.query('UPDATE runs SET status = $2, finished_at = now() WHERE id = $1', [runId, status]);
}

async function deliver(id: string): Promise<void> {
  await faulty.query(
    `INSERT INTO deliveries (id, run_id, job_id, kind, event, url, body, headers, secret, state)
     VALUES ($1, $2, $3, 'run_finished', '', '', '', '', '', 'delivered')`,
    [id, runId, project.jobId],
  );
}

function container(fence: number) {
  return system.docker.createContainer({
    Image: system.environment['DCTL_RUNNER_IMAGE']!,
    Cmd: ['sleep', '60'],
    Labels: { 'dctl.run_id': runId, 'dctl.fence': String(fence) },
    HostConfig: { NetworkMode: 'none' },
  });
}

async function remove(container: { id: string; remove(options: object): Promise<unknown> }): Promise<void> {
  await container.remove({ force: true });
  await until(
    'its end has been heard of',
    () => system.containers.events.map(({ action, containerId }) => `${action} ${containerId}`),
    (heard) => heard.includes(`destroy ${container.id}`),
  );
}
