import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { operate } from '../support/operate.ts';
import { withToken } from '../support/organization.ts';
import { createJob, deployProject, expectStatus } from '../support/project.ts';
import { signIn, trySignIn } from '../support/session.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
});
afterAll(() => system.stop());

const eventsOf = async (who: System, query: string) =>
  (await who.call('GET', `/api/v1/audit?${query}`)).body.data as any[];
const operator = { kind: 'system', id: null, name: 'operator' };

describe('whoever has a shell on the server', () => {
  test('makes an organization with its admin, users and tokens, and each is noted', async () => {
    const made = await operate(system, 'add-organization', 'Sales', '--admin', 'Head@Example.com');
    expect(made.exitCode).toBe(0);
    const [organizationId = '', password = ''] = made.out.split('\n');
    expect(organizationId).toMatch(/^org-/);
    const head = await signIn(system, { email: 'head@example.com', password });
    expect((await head.call('GET', '/api/v1/session')).body.organizations).toEqual([
      { id: organizationId, name: 'Sales', role: 'admin' },
    ]);

    const [added, token] = await Promise.all([
      operate(system, 'add-user', organizationId, 'clerk@example.com', '--role', 'viewer'),
      operate(system, 'add-token', organizationId, 'nightly', '--scope', 'admin'),
    ]);
    expect(await trySignIn(system, { email: 'clerk@example.com', password: added.out })).toMatchObject({
      status: 200,
      body: { organizations: [{ id: organizationId, role: 'viewer' }] },
    });
    const theirs = withToken(system, token.out);
    const events = await eventsOf(theirs, 'limit=100');
    const byOperator = events.filter(({ actor }) => actor.kind === 'system');
    expect(byOperator.map(({ action }) => action).toSorted()).toEqual([
      'organization.created',
      'token.created',
      'user.added',
    ]);
    for (const { actor } of byOperator) expect(actor).toEqual(operator);

    const known = await operate(
      system,
      'add-user',
      system.organizationId,
      'clerk@example.com',
      '--role',
      'viewer',
    );
    expect(known).toMatchObject({ exitCode: 0, out: '' });
    expect(known.complaints).toContain('keeps their password');
  });

  test('invites somebody with a link that is told once, for the address that browsers find the server at', async () => {
    const alone = await startSystem({
      workers: 0,
      environment: { DCTL_PUBLIC_URL: 'https://dctl.example.com' },
    });
    try {
      const invited = await operate(alone, 'invite', 'Ada@Example.com', '--role', 'operator');
      expect(invited).toMatchObject({ exitCode: 0, complaints: '' });
      const [link = '', token = ''] = invited.out.split('#');
      expect(link).toBe('https://dctl.example.com/console/invitation');
      const lookUp = () => alone.call('POST', '/api/v1/invitations/look-up', { token });
      expect((await lookUp()).body).toMatchObject({ email: 'ada@example.com', role: 'operator' });
      const [made] = (await alone.call('GET', '/api/v1/invitations')).body.data;
      expect(made).toMatchObject({ email: 'ada@example.com', created_by: 'operator' });

      const again = await operate(alone, 'invite', 'ada@example.com');
      expect(again.out).not.toContain(token);
      expect((await lookUp()).status).toBe(404);

      await operate(alone, 'add-organization', 'Sales', '--admin', 'head@example.com');
      const unsure = await operate(alone, 'invite', 'bob@example.com');
      expect(unsure).toMatchObject({ exitCode: 1, complaints: expect.stringContaining('--organization') });
      const sure = ['--organization', alone.organizationId];
      expect(await operate(alone, 'invite', 'bob@example.com', ...sure)).toMatchObject({ exitCode: 0 });
    } finally {
      await alone.stop();
    }
  });

  test('gives somebody a new password, which ends their sessions', async () => {
    const added = await operate(
      system,
      'add-user',
      system.organizationId,
      'lost@example.com',
      '--role',
      'viewer',
    );
    const browser = await signIn(system, { email: 'lost@example.com', password: added.out });
    const reset = await operate(system, 'reset-password', 'LOST@example.com');
    expect((await browser.call('GET', '/api/v1/session')).status).toBe(401);
    expect((await trySignIn(system, { email: 'lost@example.com', password: added.out })).status).toBe(401);
    await signIn(system, { email: 'lost@example.com', password: reset.out });
    expect((await eventsOf(system, 'action=user.password_changed'))[0]).toMatchObject({ actor: operator });
  });

  test("is told a job's webhook secret, and that is noted", async () => {
    const { projectId } = await deployProject(system);
    const webhook = { webhook_enabled: true, webhook_url: 'https://example.com/hook' };
    const jobId = await createJob(system, projectId, webhook);
    const hidden = { webhook_headers: { 'X-Ours': 'planted value' } };
    const job = `/api/v1/projects/${projectId}/jobs/${jobId}`;
    await expectStatus(200, system.call('PATCH', job, hidden));
    const shown = await operate(system, 'webhook-secret', jobId);
    expect(shown).toMatchObject({ exitCode: 0, out: expect.stringMatching(/^whsec_\S+$/), complaints: '' });
    expect(await eventsOf(system, `subject_id=${jobId}`)).toMatchObject([
      { action: 'webhook.secret_revealed', actor: operator },
      { action: 'job.changed', details: { fields: ['webhook_headers'] } },
      { action: 'job.created', actor: { kind: 'token', name: 'first start' } },
    ]);
    const { rows } = await system.pool.query('SELECT audit_events::text AS row FROM audit_events');
    expect(rows.filter(({ row }) => /planted|whsec_/.test(row))).toEqual([]);
    expect(await operate(system, 'webhook-secret', 'nothing')).toMatchObject({ exitCode: 1, out: '' });
  });

  test.each([
    [[], ''],
    [['fly'], 'There is no command fly.'],
    [['add-user', 'org-x', 'a@example.com'], 'add-user needs --role.'],
    [['add-organization', 'a', 'b', '--admin', 'a@example.com'], 'add-organization takes 1'],
    [['rotate-secrets', '--scope', 'admin'], 'takes no --scope'],
    [['invite', 'ada@example.com', '--role', 'owner'], 'role'],
    [['reset-password', 'nobody'], 'e-mail address'],
  ])('who writes %j is shown how it is written', async (args, sentence) => {
    const answer = await operate(system, ...args);
    expect(answer).toMatchObject({ exitCode: 2, out: '' });
    expect(answer.complaints).toContain(sentence);
    expect(answer.complaints).toContain('Usage: npm run operate');
  });

  test('who names no organization there is, is told which there are', async () => {
    const answer = await operate(system, 'add-token', 'org-x', 'nightly', '--scope', 'read');
    expect(answer.exitCode).toBe(1);
    expect(answer.complaints).toContain(system.organizationId);
  });
});
