import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { listenForChanges, type Changes } from '../../src/changes.ts';
import { connectDatabase, type DatabaseConnection } from '../../src/db.ts';
import { LogTails } from '../../src/runs/log-tails.ts';
import { appendLog } from '../../src/runs/logs.ts';
import { deployProject, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

const megabyte = 1024 ** 2;
const silent = pino({ level: 'silent' });

let system: System;
let project: DeployedProject;
let connection: DatabaseConnection;
let changes: Changes;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
  const url = system.environment['DATABASE_URL']!;
  connection = connectDatabase(url, { maxConnections: 4, onError: () => undefined });
  changes = listenForChanges(url, silent);
});
afterAll(async () => {
  await changes.close();
  await connection.close();
  await system.stop();
});

test('100 who follow a run read the same bytes, and ask the database no more often than one', async () => {
  const log = await openLog();
  for (let line = 0; line < 20; line += 1) await log.append(`early ${line}\n`);
  let asked = 0;
  const pool = new Proxy(connection.pool, {
    get(target, name) {
      if (name === 'query') asked += 1;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const tails = new LogTails({ ...connection, pool, changes });
  const { signal } = new AbortController();
  const readers = Array.from({ length: 100 }, () => tails.join(log.runId, { step: undefined, signal }));
  const reading = readers.map(async (reader, number) => {
    const hash = createHash('sha256');
    for await (const content of reader.read(0)) {
      hash.update(content);
      // Some are slower than others.
      if (number % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    reader.leave();
    return hash.digest('hex');
  });
  await until(
    'all have begun',
    () => asked,
    (queries) => queries > 100,
  );
  const before = asked;
  const pieces = 200;
  for (let piece = 0; piece < pieces; piece += 1) await log.append(`${piece} ${'x'.repeat(1_000)}\n`);
  await log.end();
  const digests = await Promise.all(reading);
  expect(new Set(digests)).toEqual(new Set([log.digest()]));
  expect(asked - before).toBeLessThan(5 * pieces);
});

test('readers that stop reading cost little, and keep no other waiting', async () => {
  const log = await openLog();
  const follow = `/api/v1/runs/${log.runId}/logs?follow=1`;
  const headers = { authorization: `Bearer ${system.token}` };
  const stalled = await Promise.all(Array.from({ length: 20 }, () => openAndStopReading(follow)));
  const reading = fetch(system.url + follow, { headers }).then(async ({ body }) => {
    const hash = createHash('sha256');
    for await (const content of body!) hash.update(content);
    return hash.digest('hex');
  });
  const line = `${'y'.repeat(1_023)}\n`;
  for (let written = 0; written < 8; written += 1) await log.append(line.repeat(128));
  const before = await residentBytes(system.api.pid);
  let most = before;
  for (let written = 0; written < 320; written += 1) {
    await log.append(line.repeat(128));
    most = Math.max(most, await residentBytes(system.api.pid));
  }
  await log.end();
  expect(await reading).toBe(log.digest());
  console.info(`the API grew by ${((most - before) / megabyte).toFixed(1)} MB`);
  expect(most - before).toBeLessThan(120 * megabyte);
  for (const socket of stalled) socket.destroy();
});

/** A run that no worker has: what it prints is stored as a worker does. */
async function openLog() {
  const runId = await trigger(system, project);
  const token = randomUUID();
  await system.pool.query(
    `UPDATE runs SET status = 'running', lease_token = $2, started_at = clock_timestamp(),
       lease_expires_at = clock_timestamp() + interval '1 h' WHERE id = $1`,
    [runId, token],
  );
  const hash = createHash('sha256');
  let startsAt = 0;
  return {
    runId,
    async append(text: string) {
      const content = Buffer.from(text);
      hash.update(content);
      const piece = { startsAt, content, truncated: false };
      if (!(await appendLog(connection, { runId, token }, piece))) throw new Error('it was not stored');
      startsAt += content.length;
    },
    async end() {
      await system.pool.query(
        `UPDATE runs SET status = 'success', finished_at = clock_timestamp(), lease_token = NULL,
           lease_expires_at = NULL WHERE id = $1`,
        [runId],
      );
      await system.pool.query(`SELECT pg_notify('dctl_run_changed', $1)`, [runId]);
    },
    digest: () => hash.copy().digest('hex'),
  };
}

async function openAndStopReading(path: string): Promise<Socket> {
  const { hostname, port } = new URL(system.url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${system.token}\r\n\r\n`);
  await new Promise((resolve) => socket.once('readable', resolve));
  return socket.pause();
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}
