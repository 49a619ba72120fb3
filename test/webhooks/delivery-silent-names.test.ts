import { createSocket, type Socket } from 'node:dgram';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { trigger, type DeployedProject } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { createWebhookJob, deployProjectWithoutImage, runAndTell } from '../support/webhooks.ts';

const silentAddress = '127.0.0.99';
/** A name server of our own in /etc/resolv.conf, for one process only, is root's and Linux's to have. */
const testAsRoot = process.platform === 'linux' && process.getuid?.() === 0 ? test : test.skip;

let system: System;
let project: DeployedProject;
let receiver: Receiver;
let folder: string;
/** Takes every question and never answers. */
let nameServer: Socket;

beforeAll(async () => {
  nameServer = createSocket('udp4');
  await new Promise<void>((resolve) => nameServer.bind(53, silentAddress, resolve));
  folder = await mkdtemp(join(tmpdir(), 'dctl-names-'));
  const resolvConf = join(folder, 'resolv.conf');
  await writeFile(resolvConf, `nameserver ${silentAddress}\n`);
  receiver = await startReceiver((response) => response.end());
  system = await startSystem({
    workers: 0,
    environment: { DCTL_WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8, ::1/128' },
  });
  project = await deployProjectWithoutImage(system);
  const bind = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
  await system.startWorker({}, ['unshare', '--mount', 'sh', '-c', bind, resolvConf]);
});
afterAll(async () => {
  await system.stop();
  await receiver.close();
  nameServer.close();
  await rm(folder, { recursive: true });
});

testAsRoot('while the name servers of 20 webhooks are silent, another is sent at its first try', async () => {
  const stuck = await createWebhookJob(system, project, 'http://silent.example.test/', {
    max_parallel_runs: 100,
  });
  await Promise.all(Array.from({ length: 20 }, () => trigger(system, stuck)));
  const sql = `SELECT count(*)::int FROM delivery_tries WHERE result IS NULL`;
  await until(
    '20 names are looked up',
    async () => (await system.pool.query(sql)).rows[0].count,
    (count) => count === 20,
  );

  const prompt = await createWebhookJob(system, project, `http://localhost:${receiver.port}/hook`);
  const { delivery } = await runAndTell(system, prompt);
  expect(delivery).toMatchObject({ state: 'delivered', tries: [{ number: 1, status_code: 200 }] });
});
