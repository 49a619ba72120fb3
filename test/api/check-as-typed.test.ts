import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { insertToken, withToken } from '../support/organization.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let reader: System;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  reader = withToken(system, await insertToken(system, { scope: 'read' }));
});
afterAll(() => system.stop());

describe('a command that is being typed', () => {
  const check = (body: unknown) => reader.call('POST', '/api/v1/commands/check', body);

  test('is told to be good, as it would be kept and word by word', async () => {
    const { status, body } = await check({ command: '  dbt build --select "a b"+ ' });
    expect(status).toBe(200);
    expect(body).toEqual({
      accepted: true,
      command: 'dbt build --select "a b"+',
      words: ['build', '--select', 'a b+'],
    });
  });

  test('is told what is wrong with it and where, in the words that refuse a job that has it', async () => {
    const command = 'dbt build; rm -rf /';
    const { status, body } = await check({ command });
    expect({ status, position: body.position }).toEqual({ status: 200, position: command.indexOf(';') });
    const project = await system.call('POST', '/api/v1/projects', { name: 'typed' });
    const refused = await system.call('POST', `/api/v1/projects/${project.body.id}/jobs`, {
      name: 'refused',
      command,
    });
    expect(refused).toMatchObject({
      status: 400,
      body: { detail: body.detail, errors: [{ detail: body.detail, position: body.position }] },
    });
  });

  test('is judged by the type of its project', async () => {
    const command = 'sqlmesh plan --auto-apply --no-prompts';
    expect((await check({ command, type: 'sqlmesh' })).body).toMatchObject({ accepted: true });
    expect((await check({ command })).body).toMatchObject({ accepted: false, position: 0 });
    expect((await check({ command: '' })).body).toMatchObject({ accepted: false, position: 0 });
    expect((await check({ command: 'x'.repeat(20_001) })).status).toBe(400);
  });
});

describe('a schedule that is being typed', () => {
  const check = (body: unknown) => reader.call('POST', '/api/v1/schedules/check', body);

  test('of a rare day shows no times that nobody will see', async () => {
    const { body } = await check({ cron: '0 0 29 2 *', timezone: 'UTC', count: 50 });
    const years = body.next_times.map((time: string) => new Date(time).getFullYear());
    expect(years.length).toBeGreaterThan(8);
    expect(years.at(-1) - new Date().getFullYear()).toBeLessThan(50);
    const rare = await check({ cron: '0 0 29 2 1L', timezone: 'UTC', count: 50 });
    expect(rare.body.accepted).toBe(true);
  });

  test('shows its next times, by the clock of its timezone', async () => {
    const wanted = { cron: '30 6 * * 1-5', timezone: 'Europe/Berlin', count: 8 };
    const { status, body } = await check(wanted);
    expect(status).toBe(200);
    expect(body.next_times).toHaveLength(8);
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', timeStyle: 'short' });
    for (const time of body.next_times) expect(clock.format(new Date(time))).toBe('06:30');
    expect(body.next_times).toEqual(body.next_times.toSorted());
    expect(Date.parse(body.next_times[0])).toBeGreaterThan(Date.now());
  });

  test('is told what is wrong with each of its fields', async () => {
    const { body } = await check({ cron: '30 25 * * *', timezone: 'Mars/Olympus' });
    expect(body).toEqual({
      accepted: false,
      problems: [
        { field: 'cron', detail: expect.stringContaining('The hour') },
        { field: 'timezone', detail: expect.stringContaining('There is no such timezone') },
      ],
    });
  });
});

describe("the server's own address", () => {
  const ask = (accept: string, method = 'GET') =>
    fetch(system.url, { method, headers: { accept }, redirect: 'manual' });

  test('leads browsers to the console, and tells programs what is here', async () => {
    const browser = await ask('text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8');
    expect(browser.status).toBe(302);
    expect(browser.headers.get('location')).toBe('/console/');
    for (const accept of ['*/*', 'application/json']) {
      const program = await ask(accept);
      expect(program.status).toBe(200);
      expect(await program.json()).toMatchObject({ name: 'dctl' });
    }
    expect((await ask('text/html', 'POST')).status).toBe(405);
  });

  test('has a page for every address of the console', async () => {
    for (const path of ['/console', '/console/runs', '/console/invitation']) {
      const page = await fetch(system.url + path);
      expect({ path, status: page.status }).toEqual({ path, status: 200 });
      expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    }
  });
});

test('without an OpenID provider people sign in with a password alone', async () => {
  const ways = await system.call('GET', '/api/v1/session/ways');
  expect(ways.body).toEqual({ password: true, open_id: null });
  expect((await system.call('GET', '/api/v1/session/open-id')).status).toBe(404);
  expect((await system.call('GET', '/api/v1/session/open-id/callback?code=x&state=y')).status).toBe(404);
});
