import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request as requestOverTls } from 'node:https';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/setup/port.ts';
import { connectDatabase, type DatabaseConnection } from '../../src/db.ts';
import { appendLog } from '../../src/runs/logs.ts';
import { filledIn, shownIn } from '../support/pages.ts';
import { archiveOf, smallProject } from '../support/archive.ts';
import { makeAuthority, type Authority } from '../support/certificates.ts';
import { deployProject, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { addPerson, type Person } from '../support/session.ts';
import { startSystem, type System } from '../support/system.ts';
import { startNginx } from './nginx.ts';

const perAddress = 20;

let authority: Authority;
let ca: Buffer;
let nginx: { close(): Promise<void> };
let system: System;
let connection: DatabaseConnection;
let project: DeployedProject;
/** Where browsers find the server. */
let publicUrl: string;
let port: number;

/** The API behind nginx, with the settings and the `server` block that docs/deployment.md shows. */
beforeAll(async () => {
  authority = await makeAuthority();
  ca = await readFile(authority.ca);
  const { cert, key } = await authority.issue({ cert: 'nginx.crt', key: 'nginx.key', name: 'IP:127.0.0.1' });
  port = await freePort();
  publicUrl = `https://127.0.0.1:${port}`;
  system = await startSystem({
    workers: 0,
    environment: {
      DCTL_PUBLIC_URL: publicUrl,
      DCTL_TRUSTED_PROXIES: '127.0.0.1',
      DCTL_RATE_PER_ADDRESS: String(perAddress),
    },
  });
  const [shown] = shownIn('docs/deployment.md', 'nginx');
  nginx = await startNginx(
    filledIn(shown, {
      'listen 443': `listen 127.0.0.1:${port}`,
      'dctl.example.com': '127.0.0.1',
      '/etc/ssl/dctl.crt': cert,
      '/etc/ssl/dctl.key': key,
      'http://127.0.0.1:3000': system.url,
    }),
  );
  connection = connectDatabase(system.environment['DATABASE_URL']!, {
    maxConnections: 2,
    onError: () => undefined,
  });
  project = await deployProject(system);
});
afterAll(async () => {
  await nginx?.close();
  await connection?.close();
  await system?.stop();
  await authority.remove();
});

test('somebody signs in with a Secure cookie, and changes something only from the public address', async () => {
  const person = await addPerson(system, 'operator');
  const answer = await signIn(person, '127.0.0.10');
  expect(answer.statusCode).toBe(200);
  const [cookie = ''] = answer.headers['set-cookie'] ?? [];
  expect(cookie).toMatch(/^dctl_session=.+; HttpOnly; SameSite=Lax; .*Secure/);
  const own = { cookie: cookie.split(';')[0]! };
  expect((await ask('GET', '/api/v1/session', { headers: own })).statusCode).toBe(200);

  const asked = async (origin: string | undefined) => {
    const headers = { ...own, ...(origin === undefined ? {} : { origin }) };
    return (await ask('POST', triggerPath(), { headers })).statusCode;
  };
  expect(await asked(publicUrl)).toBe(200);
  expect(await asked('https://evil.example.com')).toBe(403);
  expect(await asked(undefined)).toBe(403);
});

test('a log that is followed comes through as it is written', async () => {
  const { runId, append } = await openLog();
  await append('first\n');
  const log = await ask('GET', `/api/v1/runs/${runId}/logs?follow=1`, { headers: bearer() });
  const lines = log.iterator({ destroyOnReturn: false });
  expect(String((await lines.next()).value)).toBe('first\n');
  // Nobody has written this yet when the line before it has come.
  await append('second\n');
  expect(String((await lines.next()).value)).toBe('second\n');
  log.destroy();
});

test('a deployment of 40 MB passes', async () => {
  const big = { name: 'seeds/big.csv', content: randomBytes(40 * 1024 * 1024) };
  const archive = await archiveOf([...smallProject, big]);
  const path = `/api/v1/projects/${project.projectId}/deployments`;
  const headers = { ...bearer(), 'content-type': 'application/gzip' };
  const answer = await ask('POST', path, { headers, body: archive });
  expect([answer.statusCode, await text(answer)]).toEqual([201, expect.stringContaining('"id"')]);
});

test("limits count a client's own address, whatever it says it is", async () => {
  const busy = Array.from({ length: perAddress + 1 }, (_, index) =>
    ask('GET', '/api/openapi.json', {
      from: '127.0.0.20',
      headers: { 'x-forwarded-for': `192.0.2.${index}` },
    }),
  );
  const statuses = (await Promise.all(busy)).map(({ statusCode }) => statusCode ?? 0);
  expect(statuses.toSorted((a, b) => a - b)).toEqual([...Array.from({ length: perAddress }, () => 200), 429]);
  expect((await ask('GET', '/api/openapi.json', { from: '127.0.0.21' })).statusCode).toBe(200);

  const person = await addPerson(system, 'viewer');
  await signIn(person, '127.0.0.22');
  const { body } = await expectStatus(200, system.call('GET', '/api/v1/audit?address=127.0.0.22'));
  expect(body.data).toHaveLength(1);
});

const bearer = () => ({ authorization: `Bearer ${system.token}` });
const triggerPath = () => `/api/v1/projects/${project.projectId}/jobs/${project.jobId}/trigger`;

function signIn({ email, password }: Person, from: string): Promise<IncomingMessage> {
  const headers = { 'content-type': 'application/json', origin: publicUrl };
  const body = Buffer.from(JSON.stringify({ email, password }));
  return ask('POST', '/api/v1/session', { from, headers, body });
}

/** Over TLS to nginx. `from`: the address of this machine that it comes from. */
async function ask(
  method: string,
  path: string,
  {
    from = '127.0.0.1',
    headers = {},
    body,
  }: { from?: string; headers?: Record<string, string>; body?: Buffer },
): Promise<IncomingMessage> {
  const sent = requestOverTls({
    host: '127.0.0.1',
    port,
    method,
    path,
    headers,
    ca,
    localAddress: from,
    agent: false,
  });
  sent.end(body);
  const [answer] = await once(sent, 'response');
  return answer as IncomingMessage;
}

/** Of a run that no container has: the test is the one that writes. */
async function openLog() {
  const runId = await trigger(system, project);
  const token = randomUUID();
  await system.pool.query(
    `UPDATE runs SET status = 'running', lease_token = $2, started_at = clock_timestamp(),
       lease_expires_at = clock_timestamp() + interval '1 h' WHERE id = $1`,
    [runId, token],
  );
  let startsAt = 0;
  return {
    runId,
    async append(line: string) {
      const content = Buffer.from(line);
      const isStored = await appendLog(connection, { runId, token }, { startsAt, content, truncated: false });
      if (!isStored) throw new Error('it was not stored');
      startsAt += content.length;
    },
  };
}
