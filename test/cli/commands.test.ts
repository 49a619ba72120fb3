import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { insertToken } from '../support/organization.ts';
import { startReceiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import { newPerson, type Ended, type Person } from './dctl.ts';

let system: System;
let person: Person;
let folder: string;

beforeAll(async () => {
  // Webhooks are sent by a worker.
  system = await startSystem({ workers: 1 });
});
afterAll(() => system.stop());
beforeEach(async () => {
  person = await newPerson(system);
  folder = await mkdtemp(join(tmpdir(), 'dctl-project-'));
  await cp('examples/jaffle_shop', folder, { recursive: true });
});
afterEach(async () => {
  await person.leave();
  await rm(folder, { recursive: true, force: true });
});

/** In the project's folder. Throws what was said when it does not end well. */
async function dctl(args: string[], input?: string): Promise<Ended> {
  const ended = await person.dctl(args, { folder, ...(input === undefined ? {} : { input }) });
  if (ended.exitCode !== 0)
    throw new Error(`dctl ${args.join(' ')} ended with ${ended.exitCode}: ${ended.stderr}${ended.stdout}`);
  return ended;
}

let count = 0;
/** A project of its own, made and deployed from its folder. */
async function deployed(): Promise<string> {
  count += 1;
  const name = `shop-${count}`;
  await dctl(['init', '--name', name]);
  await dctl(['deploy']);
  return name;
}

describe('login', () => {
  test('keeps a token for each server in a file that nobody else may read, and shows it nowhere', async () => {
    const alone = await newPerson();
    try {
      const trigger = await insertToken(system, { scope: 'trigger' });
      const both = [
        { url: system.url, token: system.token },
        { url: system.url.replace('127.0.0.1', 'localhost'), token: trigger },
      ];
      for (const { url, token } of both)
        expect(await alone.dctl(['login', url], { input: `${token}\n` })).toMatchObject({ exitCode: 0 });
      const file = join(alone.home, '.config', 'dctl', 'hosts.json');
      expect((await stat(file)).mode & 0o777).toBe(0o600);

      const listed = await alone.dctl(['hosts', '--json']);
      expect(listed.json).toEqual([
        { url: both[0]!.url, organization: 'default', isCurrent: false },
        { url: both[1]!.url, organization: 'default', isCurrent: true },
      ]);
      expect(listed.stdout).not.toContain('dctl_');

      expect(await alone.dctl(['tokens'])).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('scope'),
      });
      expect(await alone.dctl(['tokens', '--host', system.url])).toMatchObject({ exitCode: 0 });
      await alone.dctl(['hosts', 'use', new URL(system.url).host]);
      expect(await alone.dctl(['tokens'])).toMatchObject({ exitCode: 0 });

      await alone.dctl(['logout']);
      await alone.dctl(['logout']);
      expect(await readFile(file, 'utf8')).not.toContain('dctl_');
      expect(await alone.dctl(['projects'])).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining('dctl login https://'),
      });
    } finally {
      await alone.leave();
    }
  });

  test('asks for the token in a terminal, and does not show it', async () => {
    const alone = await newPerson();
    try {
      const started = alone.start(['login', system.url], { terminal: 100 });
      await started.said('Token');
      // Keys that move are none of the token's.
      started.type(`x\u007f\u001b[D${system.token}\u001b[A\r`);
      const { exitCode, stdout } = await started.ended;
      expect(stdout).toContain('organization default');
      expect(stdout).not.toContain(system.token.slice(5));
      expect(exitCode).toBe(0);
    } finally {
      await alone.leave();
    }
  });

  test('refuses a token that is wrong, and a server that is none', async () => {
    const wrong = await person.dctl(['login', system.url], { input: 'dctl_wrong' });
    expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('not valid') });
    const other = createServer((_request, response) => void response.end('<h1>hello</h1>')).listen(0);
    const { port } = other.address() as AddressInfo;
    try {
      const hello = await person.dctl(['login', `127.0.0.1:${port}`], { input: 'dctl_x' });
      expect(hello).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('does not answer as a dctl server'),
      });
    } finally {
      other.close();
    }
    // Its port is free now.
    const nobody = await person.dctl(['login', `http://127.0.0.1:${port}`], { input: 'dctl_x' });
    expect(nobody).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`Nobody answers at 127.0.0.1:${port}`),
    });
    expect((await person.dctl(['hosts', '--json'])).json).toEqual([]);
  });

  test('a token of the environment goes to the server of the environment and to no other', async () => {
    const heard: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      heard.push(request.headers.authorization);
      response.end('{}');
    }).listen(0);
    try {
      const { port } = other.address() as AddressInfo;
      const asked = await person.dctl(['projects', '--host', `127.0.0.1:${port}`]);
      expect(asked).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('not logged in to') });
      const environment = { DCTL_URL: '' };
      const without = await person.dctl(['projects'], { environment });
      expect(without).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('without DCTL_URL') });
      expect(heard).toEqual([]);
    } finally {
      other.close();
    }
  });

  test('what npm start leaves in .dctl/env is enough', async () => {
    const environment = { DCTL_URL: '', DCTL_TOKEN: '', DAGCTL_URL: system.url, DAGCTL_TOKEN: system.token };
    expect(await person.dctl(['projects'], { environment })).toMatchObject({ exitCode: 0 });
  });
});

describe('init and deploy', () => {
  test('make a project of a folder, and its first job', async () => {
    const made = await dctl(['init', '--json']);
    expect(made.json).toMatchObject({ is_new: true, project: { name: 'jaffle_shop', type: 'dbt' } });
    expect(JSON.parse(await readFile(join(folder, 'dctl.json'), 'utf8'))).toEqual({ project: 'jaffle_shop' });
    expect((await dctl(['init', '--json'])).json).toMatchObject({ is_new: false });

    const { stdout } = await dctl(['deploy']);
    expect(stdout).toMatch(/jaffle_shop deployed: \d+ files, [\d.]+ KiB, [\d.]+ KiB packed/);
    expect((await dctl(['jobs', '--json'])).json).toMatchObject([
      { name: 'scheduled-run', command: 'dbt build' },
    ]);
  });

  test('what has not changed is not deployed again; what has is, and can be taken back', async () => {
    const project = await deployed();
    const [first] = (await dctl(['deployments', '--json'])).json;
    expect((await dctl(['deploy', '--json'])).json).toMatchObject({ id: first.id, is_new: false });

    await writeFile(join(folder, 'models/new.sql'), 'select 1 as id');
    const second = (await dctl(['deploy', '--json'])).json;
    expect(second).toMatchObject({ is_new: true, is_current: true });
    expect((await dctl(['deploy', '--force', '--json'])).json.id).not.toBe(second.id);

    await dctl(['deployments', 'activate', first.id]);
    const listed = (await dctl(['deployments', '--json', '--project', project])).json;
    expect(listed.find((each: any) => each.is_current).id).toBe(first.id);

    await dctl(['deployments', 'activate', second.id]);
    expect((await dctl(['deployments', 'roll-back', '--json'])).json.id).toBe(first.id);
    const further = await person.dctl(['deployments', 'roll-back'], { folder });
    expect(further).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('no deployment before') });
  });

  test('nothing leaves the machine that looks like a secret, unless that is said of it', async () => {
    await dctl(['init', '--name', 'with-secrets']);
    await writeFile(join(folder, '.env'), 'DBT_PASSWORD=hunter2');
    const refused = await person.dctl(['deploy'], { folder });
    expect(refused).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('.env: ') });
    expect((await dctl(['deployments', '--json'])).json).toEqual([]);

    await dctl(['deploy', '--allow-secret', '.env']);
    await writeFile(join(folder, '.gitignore'), '.env\n');
    const left = (await dctl(['deploy', '--dry-run', '--json'])).json;
    expect(left.map(({ path }: any) => path)).not.toContain('.env');
    expect((await dctl(['deploy', '--json'])).json.file_count).toBe(left.length);
  });

  test('a folder that is no project is told so', async () => {
    expect(await person.dctl(['init'], { folder: person.home })).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('no dbt_project.yml'),
    });
    expect(await person.dctl(['deploy'], { folder: person.home })).toMatchObject({ exitCode: 3 });
  });
});

describe('jobs and what they run with', () => {
  test('a job is made, changed, shown and deleted', async () => {
    await deployed();
    const nightly = ['jobs', 'create', 'nightly', '--command', 'dbt build --select orders+'];
    const made = await dctl([...nightly, '--cron', '0 6 * * *', '--timezone', 'Europe/Berlin', '--json']);
    expect(made.json).toMatchObject({
      name: 'nightly',
      schedule: { cron: '0 6 * * *', timezone: 'Europe/Berlin', next_run_at: expect.any(String) },
    });
    const changed = await dctl([
      'jobs',
      'set',
      'nightly',
      '--timezone',
      'UTC',
      '--timeout',
      '2h',
      '--off',
      '--json',
    ]);
    expect(changed.json).toMatchObject({
      enabled: false,
      timeout_seconds: 7_200,
      schedule: { cron: '0 6 * * *', timezone: 'UTC' },
    });
    expect((await dctl(['schedules', '--json'])).json).toMatchObject([
      { job: 'nightly', cron: '0 6 * * *', timezone: 'UTC', enabled: false },
    ]);
    expect((await dctl(['jobs', 'set', 'nightly', '--cron', 'none', '--json'])).json.schedule).toBeNull();
    expect((await dctl(['schedules'])).stdout).toContain('--cron');
    expect((await dctl(['jobs', 'show', 'nightly'])).stdout).toContain('dbt build --select orders+');

    const unsure = await person.dctl(['jobs', 'delete', 'nightly'], { folder });
    expect(unsure).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('--yes') });
    await dctl(['jobs', 'delete', 'nightly', '--yes']);
    const gone = await person.dctl(['jobs', 'show', 'nightly'], { folder });
    expect(gone).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('There are: scheduled-run') });
  });

  test("the server's own sentence says what is wrong with a command", async () => {
    await deployed();
    const refused = await person.dctl(['jobs', 'create', 'bad', '--command', 'dbt build; rm -rf /'], {
      folder,
    });
    expect(refused).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('A semicolon is not allowed'),
    });
    const asJson = await person.dctl(['jobs', 'create', 'bad', '--command', 'rm', '--json'], { folder });
    expect(JSON.parse(asJson.stderr)).toMatchObject({ error: { status: 400, message: expect.any(String) } });
    expect(asJson.stdout).toBe('');
  });

  test('variables, secrets and the warehouse are set; what is secret comes from stdin and is shown nowhere', async () => {
    await deployed();
    await dctl(['env', 'set', 'DBT_SCHEMA=analytics', 'DBT_REGION=a=b']);
    await dctl(['env', 'set', 'DBT_NOTE'], 'from stdin\n');
    await dctl(['env', 'unset', 'DBT_REGION']);
    expect((await dctl(['env', '--json'])).json).toEqual({ DBT_SCHEMA: 'analytics', DBT_NOTE: 'from stdin' });

    await dctl(['secret', 'set', 'DBT_PASSWORD'], 'hunter2\n');
    expect((await dctl(['secret', '--json'])).json).toMatchObject([{ name: 'DBT_PASSWORD' }]);
    const typed = await person.dctl(['secret', 'set', 'DBT_PASSWORD=hunter2'], { folder });
    expect(typed).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('stdin') });
    await dctl(['secret', 'delete', 'DBT_PASSWORD']);

    const settings = ['host=db.example.com', 'port=5433', 'user=dbt', 'dbname=shop', 'schema=analytics'];
    await dctl(['connection', 'set', 'postgres', ...settings], 'hunter2\n');
    const { stdout } = await dctl(['connection', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'postgres', port: 5433, password: '***' });
    await dctl(['connection', 'remove']);
    expect((await dctl(['environments', '--json'])).json).toMatchObject([
      { name: 'production', connection: null },
    ]);

    await dctl(['environments', 'create', 'staging', '--threads', '2']);
    expect((await dctl(['environments', 'set', 'staging', '--target', 'dev', '--json'])).json).toMatchObject({
      threads: 2,
      target: 'dev',
    });
    expect((await dctl(['env', '-e', 'staging', '--json'])).json).toEqual({});
    await dctl(['environments', 'delete', 'staging', '--yes']);
    const used = await person.dctl(['environments', 'delete', 'production', '--yes'], { folder });
    expect(used).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('in place of deleting') });
  });
});

test('a project is renamed and deleted, not without being sure', async () => {
  const name = await deployed();
  const renamed = await dctl(['projects', 'rename', name, 'other']);
  expect(renamed.stderr).toContain(`dctl.json still says ${name}`);
  const unsure = await person.dctl(['projects', 'delete', 'other']);
  expect(unsure).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('with 1 job? Add --yes') });
  await dctl(['projects', 'delete', 'other', '--yes']);
  expect((await person.dctl(['projects', '--json'])).json.map((each: any) => each.name)).not.toContain(
    'other',
  );
});

test('a schedule is tried out before it is set', async () => {
  const checked = await person.dctl(['schedules', 'check', '0 6 * * *', '-n', '2', '--json']);
  expect(checked.json).toEqual([expect.stringMatching(/T06:00/), expect.stringMatching(/T06:00/)]);
  expect(await person.dctl(['schedules', 'check', '61 * * * *'])).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('dctl:'),
  });
});

test('people are invited by a link that is shown once, change their role and leave', async () => {
  const created = await person.dctl(['invitations', 'create', 'ada@example.com', '--role', 'operator']);
  const [, token] = /^http\S+\/console\/invitation#(\S+)\n$/.exec(created.stdout) ?? [];
  const listed = await person.dctl(['invitations']);
  expect(listed.stdout).toMatch(/ada@example\.com +operator/);
  expect(listed.stdout).not.toContain(token);
  const password = 'correct horse battery';
  const accepted = await system.call('POST', '/api/v1/invitations/accept', { token, password });
  expect(accepted.status).toBe(200);

  const changed = await person.dctl(['users', 'set', 'Ada@Example.com', '--role', 'viewer', '--json']);
  expect(changed.json).toMatchObject({ email: 'ada@example.com', role: 'viewer' });
  const unsure = await person.dctl(['users', 'set', 'ada@exampel.com', '--role', 'admin']);
  expect(unsure).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('mean ada@example.com?') });
  expect(await person.dctl(['users', 'remove', 'ada@example.com', '--yes'])).toMatchObject({ exitCode: 0 });
  expect((await person.dctl(['users'])).stdout).not.toContain('ada@example.com');

  await person.dctl(['invitations', 'create', 'bob@example.com']);
  await person.dctl(['invitations', 'withdraw', 'bob@example.com']);
  expect((await person.dctl(['invitations', '--json'])).json).toEqual([]);

  const noted = await person.dctl(['audit', '--action', 'invitation.created', '--limit', '2', '--json']);
  expect(noted.json).toMatchObject([
    { details: { email: 'bob@example.com', role: 'viewer' } },
    { details: { email: 'ada@example.com', role: 'operator' } },
  ]);
  expect((await person.dctl(['audit', '-n', '1'])).stdout).toMatch(/token .+ invitation\.withdrawn/);
});

test('a token is made, shown once, used and revoked', async () => {
  const made = await person.dctl(['tokens', 'create', 'airflow', '--scope', 'read', '--expires', '90d']);
  const token = made.stdout.trim();
  expect(token).toMatch(/^dctl_\w{36}$/);
  const environment = { DCTL_TOKEN: token };
  expect(await person.dctl(['projects'], { environment })).toMatchObject({ exitCode: 0 });
  expect(await person.dctl(['tokens', 'revoke', 'airflow', '-y'])).toMatchObject({ exitCode: 0 });
  const refused = await person.dctl(['projects'], { environment });
  expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('dctl login') });
});

test("a job's webhook is set, tried out, looked at and verified with its secret", async () => {
  await deployed();
  const receiver = await startReceiver((response) => response.writeHead(200).end('thank you'));
  try {
    const none = await dctl(['webhook', 'deliveries', 'scheduled-run']);
    expect(none.stdout).toContain('No webhooks were sent yet');
    await dctl([
      'jobs',
      'set',
      'scheduled-run',
      '--webhook-url',
      receiver.url,
      '--webhook-header',
      'X-Team=data',
    ]);
    const tried = await dctl(['webhook', 'test', 'scheduled-run']);
    expect(tried.stdout).toMatch(/^delivered {2}.*\n {2}Try 1: 200 in \d+ ms/);
    const [delivery] = (await dctl(['webhook', 'deliveries', 'scheduled-run', '--json'])).json;
    expect(delivery).toMatchObject({ kind: 'test', state: 'delivered' });

    const [hit] = receiver.hits;
    const pairs = Object.entries(
      Object.groupBy(
        hit!.rawHeaders.map((text, at) => ({ text, at })),
        ({ at }) => at >> 1,
      ),
    );
    const headers = pairs.map(([, pair]) => `${pair![0]!.text}: ${pair![1]!.text}`);
    const request = `${headers.join('\r\n')}\r\n\r\n${hit!.body.toString()}`;
    await dctl(['webhook', 'verify', '--job', 'scheduled-run'], request);

    const old = (await dctl(['webhook', 'secret', 'scheduled-run'])).stdout.trim();
    expect(old).toMatch(/^whsec_/);
    const rotated = await dctl(['webhook', 'rotate-secret', 'scheduled-run', '--yes', '--json']);
    expect(rotated.json.webhook_secret).not.toBe(old);
    const again = await person.dctl(['webhook', 'verify', '--job', 'scheduled-run'], {
      folder,
      input: request,
    });
    expect(again).toMatchObject({ exitCode: 1 });
  } finally {
    await receiver.close();
  }
});

test('any call of the API can be made by its name', async () => {
  const listed = await dctl(['api', 'listAuditEvents', '--query', 'limit=1']);
  expect(listed.json.data).toHaveLength(1);
  const made = await dctl(['api', 'createProject'], '{"name": "by name"}');
  const renamed = await dctl(
    ['api', 'changeProject', '--path', `project_id=${made.json.id}`],
    '{"name": "other"}',
  );
  expect(renamed.json).toMatchObject({ name: 'other' });
  expect(await person.dctl(['api', 'getProject'])).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('--path project_id='),
  });
});

test('names that a terminal would act on are shown as text', async () => {
  const name = 'evil\u202egpj';
  const made = await system.call('POST', '/api/v1/projects', { name });
  expect(made.status).toBe(201);
  const { stdout } = await dctl(['projects']);
  expect(stdout).toContain('evil?gpj');
  expect(stdout).not.toContain('\u202e');
});
