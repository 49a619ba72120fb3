import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { createSecrets } from '../../src/secrets.ts';
import { firstStart } from '../support/first-start.ts';
import { operate } from '../support/operate.ts';
import { startProcess } from '../support/process.ts';
import { createJob, deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { addPerson, browserWith, signIn, type Browser } from '../support/session.ts';
import { call, startSystem, type Answer, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { countWaiting } from '../support/waiting.ts';

const newKey = () => randomBytes(32).toString('base64');
const [first, second, third] = [firstStart().secretKey, newKey(), newKey()] as const;

let system: System;
let project: DeployedProject;
let jobId: string;
let browser: Browser;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
  jobId = await createJob(system, project.projectId, {
    webhook_enabled: true,
    webhook_url: 'https://example.com/api/v2/dags/ours/dagRuns',
    webhook_headers: { 'X-Ours': 'planted header' },
    webhook_auth: { type: 'airflow_jwt', username: 'dctl', password: 'planted sign-in' },
  });
  const environment = `/api/v1/projects/${project.projectId}/environments/${project.environmentId}`;
  await expectStatus(200, system.call('PUT', `${environment}/secrets/OURS`, { value: 'planted secret' }));
  await expectStatus(200, system.call('PATCH', environment, { connection: warehouse }));
  const job = `/api/v1/projects/${project.projectId}/jobs/${jobId}`;
  await expectStatus(200, system.call('POST', `${job}/webhook/rotate-secret`));
  const { seal } = createSecrets(first);
  await system.pool.query(
    `INSERT INTO deliveries (id, job_id, kind, event, url, body, headers, auth, secret, old_secret, request, state)
     VALUES ('d', $1, 'test', 'job.completed', 'https://example.com', '{}', $2, $3, $4, $5, $6, 'failed')`,
    [
      jobId,
      seal('planted headers', 'deliveries:d:headers'),
      seal('planted sign-in', 'deliveries:d:auth'),
      seal('planted key', 'deliveries:d:secret'),
      seal('planted key', 'deliveries:d:old_secret'),
      seal('planted request', 'deliveries:d:request'),
    ],
  );
  await system.pool.query(
    `INSERT INTO hooks (id, organization_id, method, url, headers, auth)
     VALUES ('h', $1, 'POST', 'https://example.com', $2, $3)`,
    [
      system.organizationId,
      seal('planted headers', 'hooks:h:headers'),
      seal('planted sign-in', 'hooks:h:auth'),
    ],
  );
  await system.pool.query(
    `INSERT INTO orchestration_secrets (id, organization_id, name, value) VALUES ('o', $1, 'ours', $2)`,
    [system.organizationId, seal('planted value', 'orchestration_secrets:o:value')],
  );
  await system.pool.query(
    `INSERT INTO event_sources (id, organization_id, name, auth, secret) VALUES ('e', $1, 'ours', 'github', $2)`,
    [system.organizationId, seal('planted key', 'event_sources:e:secret')],
  );
  await system.pool.query(
    `INSERT INTO webhook_subscriptions (id, organization_id, name, url, event_types, secret)
     VALUES ('s', $1, 'ours', 'https://example.com', '{job.run.started}', $2)`,
    [system.organizationId, seal('planted key', 'webhook_subscriptions:s:secret')],
  );
  browser = await signIn(system, await addPerson(system, 'viewer'));
});
afterAll(() => system.stop());

const warehouse = {
  type: 'postgres',
  host: 'warehouse.example.com',
  port: 5432,
  user: 'dbt',
  password: 'planted password',
  dbname: 'shop',
  schema: 'public',
};

/** The same server with other keys. */
const withKeys = (current: string, ...older: string[]) => ({
  ...system.environment,
  DCTL_SECRET_KEY: current,
  DCTL_OLD_SECRET_KEYS: older.join(','),
});

/** Does something with an API process of its own that has these keys. */
async function served(
  keys: Record<string, string>,
  work: (ask: (path: string, token: string) => Promise<Answer>, url: string) => Promise<void>,
): Promise<void> {
  const api = startProcess('dist/src/main.js', keys);
  try {
    const { address } = (await api.said('serving')) as { address: { port: number } };
    const url = `http://127.0.0.1:${address.port}`;
    await work(
      (path, token) => call(url + path, 'GET', undefined, { authorization: `Bearer ${token}` }),
      url,
    );
  } finally {
    api.signal('SIGTERM');
    await api.ended;
  }
}

async function makeToken(): Promise<string> {
  const wanted = { name: 'made', scope: 'admin' };
  return (await expectStatus(201, system.call('POST', '/api/v1/tokens', wanted))).body.token;
}

/** All that is stored sealed: where, and what. */
async function allSealed(): Promise<[place: string, sealed: string][]> {
  const { rows } = await system.pool.query(`
    SELECT 'jobs:' || id || ':webhook_headers' AS place, webhook_headers AS sealed FROM jobs
    UNION ALL SELECT 'jobs:' || id || ':webhook_auth', webhook_auth FROM jobs
    UNION ALL SELECT 'jobs:' || id || ':webhook_secret', webhook_secret FROM jobs
    UNION ALL SELECT 'jobs:' || id || ':webhook_old_secret', webhook_old_secret FROM jobs
    UNION ALL SELECT 'deliveries:' || id || ':old_secret', old_secret FROM deliveries
    UNION ALL SELECT 'deliveries:' || id || ':headers', headers FROM deliveries
    UNION ALL SELECT 'deliveries:' || id || ':auth', auth FROM deliveries
    UNION ALL SELECT 'deliveries:' || id || ':secret', secret FROM deliveries
    UNION ALL SELECT 'deliveries:' || id || ':request', request FROM deliveries
    UNION ALL SELECT 'hooks:' || id || ':headers', headers FROM hooks
    UNION ALL SELECT 'hooks:' || id || ':auth', auth FROM hooks
    UNION ALL SELECT 'orchestration_secrets:' || id || ':value', value FROM orchestration_secrets
    UNION ALL SELECT 'event_sources:' || id || ':secret', secret FROM event_sources
    UNION ALL SELECT 'webhook_subscriptions:' || id || ':secret', secret FROM webhook_subscriptions
    UNION ALL SELECT 'environments:' || id || ':connection_secrets', connection_secrets FROM environments
    UNION ALL SELECT 'environment_secrets:' || environment_id || ':' || name, value FROM environment_secrets`);
  return rows
    .filter(({ sealed }) => sealed !== null)
    .map(({ place, sealed }): [string, string] => [place, sealed]);
}

/** As values were sealed before keys had names. */
function sealedBefore(key: string, plain: string, place: string): string {
  const sealing = Buffer.from(hkdfSync('sha256', Buffer.from(key, 'base64'), '', 'dctl sealing', 32));
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', sealing, nonce).setAAD(Buffer.from(place));
  const content = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return `v1.${nonce.toString('base64')}.${content.toString('base64')}`;
}

describe('a sealed value', () => {
  const { seal, open, keyId } = createSecrets(first);

  test('opens at its place alone, with a key of the ring alone, and unchanged alone', () => {
    const sealed = seal('planted', 'jobs:1:webhook_secret');
    expect(open(sealed, 'jobs:1:webhook_secret')).toBe('planted');
    expect(createSecrets(second, [third, first]).open(sealed, 'jobs:1:webhook_secret')).toBe('planted');
    expect(() => open(sealed, 'jobs:2:webhook_secret')).toThrow('jobs:2:webhook_secret does not open');
    expect(() => open(`${sealed.slice(0, -8)}AAAAAAA=`, 'jobs:1:webhook_secret')).toThrow('does not open');
    for (const text of ['', 'planted', 'v3.a.b.c', 'v2..', `v2.${keyId}.AAAA.AAAA`])
      expect(() => open(text, 'x')).toThrow('not sealed by dctl');
  });

  test('of a key that is lost says so, and which setting helps', () => {
    const place = 'jobs:1:webhook_secret';
    for (const sealed of [seal('planted', place), sealedBefore(first, 'planted', place)]) {
      expect(createSecrets(second, [first]).open(sealed, place)).toBe('planted');
      expect(() => createSecrets(second).open(sealed, place)).toThrow(
        /^jobs:1:webhook_secret .*DCTL_OLD_SECRET_KEYS/,
      );
    }
  });

  test('names its key without telling anything of it', () => {
    expect(createSecrets(first).keyId).toBe(keyId);
    expect(createSecrets(second).keyId).not.toBe(keyId);
    const bytes = Buffer.from(first, 'base64');
    expect(bytes.includes(Buffer.from(keyId, 'hex').subarray(0, 3))).toBe(false);
  });
});

test('with a new key and the old one beside it everything works; sealed anew, without the old one too', async () => {
  const [used, unused, ancient] = [await makeToken(), await makeToken(), await makeToken()];
  await system.pool.query('UPDATE api_tokens SET key_id = NULL WHERE last_four = $1', [ancient.slice(-4)]);
  const job = `/api/v1/projects/${project.projectId}/jobs/${jobId}`;
  const plain = (await allSealed()).map(([place, sealed]) => [
    place,
    createSecrets(first).open(sealed, place),
  ]);
  expect(plain).toHaveLength(16);
  const old = `jobs:${jobId}:webhook_secret`;
  const [, secret = ''] = plain.find(([place]) => place === old) ?? [];
  await system.pool.query('UPDATE jobs SET webhook_secret = $2 WHERE id = $1', [
    jobId,
    sealedBefore(first, secret, old),
  ]);

  const both = withKeys(second, first);
  const { keyId } = createSecrets(second);
  await served(both, async (ask, url) => {
    for (const token of [used, ancient]) expect((await ask(job, token)).status).toBe(200);
    await until(
      'the used tokens hang on the new key',
      async () => {
        const found = await system.pool.query('SELECT FROM api_tokens WHERE key_id = $1', [keyId]);
        return found.rows.length;
      },
      (count) => count === 2,
    );
    for (const token of [used, ancient]) expect((await ask(job, token)).status).toBe(200);
    expect(
      (await browserWith({ ...system, url }, browser.cookie).call('GET', '/api/v1/session')).status,
    ).toBe(200);
  });
  expect(await operate({ environment: both }, 'webhook-secret', jobId)).toMatchObject({ out: secret });

  const rotated = await operate({ environment: both }, 'rotate-secrets');
  expect(rotated).toMatchObject({ exitCode: 0, complaints: '' });
  expect(rotated.out.match(/: 1 sealed anew/g)).toHaveLength(16);
  expect(rotated.out).toContain('2 live tokens still hang on an older key');
  const again = await operate({ environment: both }, 'rotate-secrets');
  expect(again.out.match(/: 0 sealed anew/g)).toHaveLength(16);

  const { open } = createSecrets(second);
  expect((await allSealed()).map(([place, sealed]) => [place, open(sealed, place)])).toEqual(plain);
  await served(withKeys(second), async (ask, url) => {
    for (const token of [used, ancient]) expect((await ask(job, token)).status).toBe(200);
    expect((await ask(job, unused)).status).toBe(401);
    expect(
      (await browserWith({ ...system, url }, browser.cookie).call('GET', '/api/v1/session')).status,
    ).toBe(401);
  });
  expect((await operate({ environment: withKeys(second) }, 'webhook-secret', jobId)).out).toBe(secret);
});

describe('with a key that has nothing to do with what is stored', () => {
  test('whoever asks is told what no longer opens and which setting to look at, never a value', async () => {
    const before = await allSealed();
    const revealed = await operate({ environment: withKeys(third) }, 'webhook-secret', jobId);
    expect(revealed).toMatchObject({ exitCode: 1, out: '' });
    expect(revealed.complaints).toContain(`jobs:${jobId}:webhook_secret was sealed with a key`);
    expect(revealed.complaints).toContain('DCTL_OLD_SECRET_KEYS');
    const rotated = await operate({ environment: withKeys(third) }, 'rotate-secrets');
    expect(rotated.exitCode).toBe(1);
    for (const [place, sealed] of before) {
      expect(rotated.complaints).toContain(place);
      expect(rotated.complaints).not.toContain(sealed);
    }
    expect(await allSealed()).toEqual(before);
    for (const key of [first, second, third])
      expect(rotated.complaints + revealed.complaints).not.toContain(key);
  });
});

test('what somebody changes while everything is sealed anew stays as they wrote it', async () => {
  const fresh = createSecrets(first).seal('{"X-Ours":"changed meanwhile"}', `jobs:${jobId}:webhook_headers`);
  const other = new pg.Client({ connectionString: system.environment['DATABASE_URL'] });
  await other.connect();
  try {
    await other.query('BEGIN');
    await other.query('UPDATE jobs SET webhook_headers = $2 WHERE id = $1', [jobId, fresh]);
    const rotating = operate({ environment: withKeys(third, second, first) }, 'rotate-secrets');
    await until(
      'it waits for the change',
      () => countWaiting(system, 'UPDATE jobs SET webhook_headers%'),
      (waiting) => waiting > 0,
    );
    await other.query('COMMIT');
    expect((await rotating).exitCode).toBe(0);
  } finally {
    await other.end();
  }
  const { rows } = await system.pool.query('SELECT webhook_headers FROM jobs WHERE id = $1', [jobId]);
  expect(rows[0].webhook_headers).toBe(fresh);
});
