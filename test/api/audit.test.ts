import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { apiRoutes } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { openContext } from '../../src/open-context.ts';
import { asDbtCloud } from '../support/dbt-cloud.ts';
import { archiveOf, smallProject } from '../support/archive.ts';
import { asAnotherOrganization } from '../support/organization.ts';
import { expectStatus, trigger } from '../support/project.ts';
import { addPerson, signIn, trySignIn, type Browser } from '../support/session.ts';
import { startSystem, type Answer, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { createWebhookJob, recordWebhook } from '../support/webhooks.ts';

/** Something that is ready to be changed, and the request that changes it. */
type Prepared = (headers: Record<string, string>) => Promise<Answer>;

let system: System;
let context: ReturnType<typeof openContext>;

/** What the tests do to prepare comes from 127.0.0.1, what they are about from an address of its own behind a proxy. */
beforeAll(async () => {
  system = await startSystem({ workers: 0, environment: { DCTL_TRUSTED_PROXIES: '127.0.0.1' } });
  context = openContext(readConfig(system.environment), createLog('setup', 'error'));
});
afterAll(async () => {
  await context.close();
  await system.stop();
});

interface Case {
  action: string;
  prepare: () => Promise<Prepared>;
}

/** What each operation that changes something notes, by the operation's name. */
const noted: Record<string, Case> = {
  createProject: {
    action: 'project.created',
    prepare: async () => send('POST', '/api/v1/projects', { name: `project-${randomUUID()}`, type: 'dbt' }),
  },
  changeProject: {
    action: 'project.changed',
    prepare: async () => send('PATCH', (await newProject()).path, { name: `changed-${randomUUID()}` }),
  },
  deleteProject: {
    action: 'project.deleted',
    prepare: async () => send('DELETE', (await newProject()).path),
  },
  deploy: {
    action: 'deployment.created',
    prepare: async () => sendDeployment((await newProject()).path),
  },
  pruneDeployments: {
    action: 'deployment.pruned',
    prepare: async () => {
      const { path } = await twiceDeployed();
      return send('POST', `${path}/deployments/prune`, { keep: 0 });
    },
  },
  activateDeployment: {
    action: 'deployment.activated',
    prepare: async () => {
      const { path, first } = await twiceDeployed();
      return send('POST', `${path}/deployments/${first}/activate`);
    },
  },
  prepareDeployment: {
    action: 'deployment.prepared_again',
    prepare: async () => {
      const { path, first } = await twiceDeployed();
      return send('POST', `${path}/deployments/${first}/prepare`);
    },
  },
  pruneDeployment: {
    action: 'deployment.pruned',
    prepare: async () => {
      const { path, first } = await twiceDeployed();
      return send('DELETE', `${path}/deployments/${first}`);
    },
  },
  createEnvironment: {
    action: 'environment.created',
    prepare: async () => send('POST', `${(await newProject()).path}/environments`, { name: 'staging' }),
  },
  changeEnvironment: {
    action: 'environment.changed',
    prepare: async () => send('PATCH', await newEnvironment(), { threads: 2 }),
  },
  deleteEnvironment: {
    action: 'environment.deleted',
    prepare: async () => send('DELETE', await newEnvironment()),
  },
  setSecret: {
    action: 'secret.set',
    prepare: async () => send('PUT', `${await newEnvironment()}/secrets/PASSWORD`, { value: 'hidden' }),
  },
  deleteSecret: {
    action: 'secret.deleted',
    prepare: async () => {
      const path = `${await newEnvironment()}/secrets/PASSWORD`;
      await ok(send('PUT', path, { value: 'hidden' })({}));
      return send('DELETE', path);
    },
  },
  createJob: {
    action: 'job.created',
    prepare: async () =>
      send('POST', `${(await newProject()).path}/jobs`, { name: 'nightly', command: 'dbt build' }),
  },
  changeJob: {
    action: 'job.changed',
    prepare: async () => send('PATCH', (await newJob()).path, { timeout_seconds: 60 }),
  },
  deleteJob: { action: 'job.deleted', prepare: async () => send('DELETE', (await newJob()).path) },
  testWebhook: {
    action: 'webhook.tested',
    prepare: async () => send('POST', `${(await newJob()).path}/webhook/test`),
  },
  revealWebhookSecret: {
    action: 'webhook.secret_revealed',
    prepare: async () => send('POST', `${(await newJob()).path}/webhook/reveal-secret`),
  },
  rotateWebhookSecret: {
    action: 'webhook.secret_rotated',
    prepare: async () => send('POST', `${(await newJob()).path}/webhook/rotate-secret`),
  },
  createWebhook_v3: {
    action: 'webhook_subscription.created',
    prepare: async () => send('POST', `${await webhooks()}/subscriptions`, subscription),
  },
  replaceWebhook_v3: {
    action: 'webhook_subscription.changed',
    prepare: async () => send('PUT', (await newSubscription()).path, { ...subscription, active: true }),
  },
  deleteWebhook_v3: {
    action: 'webhook_subscription.deleted',
    prepare: async () => send('DELETE', (await newSubscription()).path),
  },
  testWebhook_v3: {
    action: 'webhook.tested',
    prepare: async () => {
      const { id, path } = await newSubscription();
      return async (headers) => {
        const asked = send('POST', `${path}/test`)(headers);
        // It waits for a worker to send it, and there is none.
        const end = `UPDATE deliveries SET state = 'failed' WHERE subscription_id = $1`;
        await until(
          'it is sent',
          () => system.pool.query(end, [id]),
          ({ rowCount }) => rowCount === 1,
        );
        return asked;
      };
    },
  },
  sendDeliveryAgain: {
    action: 'webhook.sent_again',
    prepare: async () => {
      const job = await newJob();
      const id = await recordWebhook(context, job, await trigger(system, job), 'http://127.0.0.1:9/');
      await system.pool.query(`UPDATE deliveries SET state = 'failed' WHERE id = $1`, [id]);
      return send('POST', `/api/v1/deliveries/${id}/send-again`);
    },
  },
  createVariable: {
    action: 'variable.created',
    prepare: async () => send('POST', variables, { name: newName(), value: 'ours' }),
  },
  changeVariable: {
    action: 'variable.changed',
    prepare: async () => send('PATCH', await newValue(variables), { value: 'changed' }),
  },
  deleteVariable: {
    action: 'variable.deleted',
    prepare: async () => send('DELETE', await newValue(variables)),
  },
  createOrchestrationSecret: {
    action: 'orchestration_secret.created',
    prepare: async () => send('POST', hookSecrets, { name: newName(), value: 'hidden' }),
  },
  changeOrchestrationSecret: {
    action: 'orchestration_secret.changed',
    prepare: async () => send('PATCH', await newValue(hookSecrets), { value: 'changed' }),
  },
  deleteOrchestrationSecret: {
    action: 'orchestration_secret.deleted',
    prepare: async () => send('DELETE', await newValue(hookSecrets)),
  },
  createHook: {
    action: 'hook.created',
    prepare: async () => send('POST', '/api/v1/hooks', { url: 'https://example.com' }),
  },
  changeHook: {
    action: 'hook.changed',
    prepare: async () => send('PATCH', await newHook(), { is_active: false }),
  },
  deleteHook: { action: 'hook.deleted', prepare: async () => send('DELETE', await newHook()) },
  ...inWorkspace('Variable', 'variable', 'variables'),
  ...inWorkspace('Secret', 'orchestration_secret', 'secrets'),
  ...inWorkspace('Webhook', 'hook', 'orchestration/webhooks'),
  createEventSource: {
    action: 'event_source.created',
    prepare: async () => send('POST', eventSources, { name: newName(), auth: 'token' }),
  },
  changeEventSource: {
    action: 'event_source.changed',
    prepare: async () => send('PATCH', `${eventSources}/${await newEventSource()}`, { is_active: false }),
  },
  deleteEventSource: {
    action: 'event_source.deleted',
    prepare: async () => send('DELETE', `${eventSources}/${await newEventSource()}`),
  },
  rotateEventSourceSecret: {
    action: 'event_source.secret_rotated',
    prepare: async () => send('POST', `${eventSources}/${await newEventSource()}/rotate-secret`),
  },
  createEventRule: {
    action: 'event_rule.created',
    prepare: async () => send('POST', '/api/v1/event-rules', await eventRule()),
  },
  changeEventRule: {
    action: 'event_rule.changed',
    prepare: async () => send('PATCH', await newEventRule(), { is_active: false }),
  },
  deleteEventRule: {
    action: 'event_rule.deleted',
    prepare: async () => send('DELETE', await newEventRule()),
  },
  triggerRun: {
    action: 'run.triggered',
    prepare: async () => send('POST', `${(await newJob()).path}/trigger`),
  },
  retryRun: {
    action: 'run.triggered',
    prepare: async () => {
      const runId = await trigger(system, await newJob());
      await system.pool.query(
        `UPDATE runs SET status = 'error', status_reason = 'killed', error_message = 'it was killed',
           started_at = now(), finished_at = now(), duration_ms = 0 WHERE id = $1`,
        [runId],
      );
      return send('POST', `/api/v1/runs/${runId}/retry`);
    },
  },
  cancelRun: {
    action: 'run.cancelled',
    prepare: async () => send('POST', `/api/v1/runs/${await trigger(system, await newJob())}/cancel`),
  },
  createJob_v2: {
    action: 'job.created',
    prepare: async () => {
      const { account, project, environment } = (await newJobV2()).cloud;
      const job = { name: 'another', project_id: project, environment_id: environment };
      return send('POST', `/api/v2/accounts/${account}/jobs`, job);
    },
  },
  changeJob_v2: {
    action: 'job.changed',
    prepare: async () => send('POST', (await newJobV2()).path, { description: 'changed' }),
  },
  deleteJob_v2: {
    action: 'job.deleted',
    prepare: async () => send('DELETE', (await newJobV2()).path),
  },
  triggerRun_v2: {
    action: 'run.triggered',
    prepare: async () => send('POST', `${(await newJobV2()).path}/run`),
  },
  rerunJob_v2: {
    action: 'run.triggered',
    prepare: async () => send('POST', `${(await newJobV2()).path}/rerun`),
  },
  retryRun_v2: {
    action: 'run.triggered',
    prepare: async () => send('POST', `${(await succeededRunV2()).path}/retry`),
  },
  cancelRun_v2: {
    action: 'run.cancelled',
    prepare: async () => send('POST', `${(await newRunV2()).path}/cancel`),
  },
  createOrganization: {
    action: 'organization.created',
    prepare: async () => {
      const { browser } = await newPerson();
      const body = { name: `organization-${randomUUID()}`, admin_email: `${randomUUID()}@example.com` };
      return (headers) => browser.call('POST', '/api/v1/organizations', body, headers);
    },
  },
  changeOrganization: {
    action: 'organization.changed',
    prepare: async () =>
      send('PATCH', `/api/v1/organizations/${system.organizationId}`, { name: `changed-${randomUUID()}` }),
  },
  addUser: {
    action: 'user.added',
    prepare: async () =>
      send('POST', '/api/v1/users', { email: `${randomUUID()}@example.com`, role: 'viewer' }),
  },
  changeUser: {
    action: 'user.changed',
    prepare: async () =>
      send('PATCH', `/api/v1/users/${(await addPerson(system, 'viewer')).id}`, { role: 'operator' }),
  },
  removeUser: {
    action: 'user.removed',
    prepare: async () => send('DELETE', `/api/v1/users/${(await addPerson(system, 'viewer')).id}`),
  },
  inviteUser: {
    action: 'invitation.created',
    prepare: async () =>
      send('POST', '/api/v1/invitations', { email: `${randomUUID()}@example.com`, role: 'viewer' }),
  },
  withdrawInvitation: {
    action: 'invitation.withdrawn',
    prepare: async () => send('DELETE', `/api/v1/invitations/${(await newInvitation()).id}`),
  },
  acceptInvitation: {
    action: 'invitation.accepted',
    prepare: async () => {
      const token = (await newInvitation()).url.split('#')[1];
      return send('POST', '/api/v1/invitations/accept', { token, password: 'a new one, and long' });
    },
  },
  createToken: {
    action: 'token.created',
    prepare: async () => send('POST', '/api/v1/tokens', { name: 'airflow', scope: 'trigger' }),
  },
  revokeToken: {
    action: 'token.revoked',
    prepare: async () => {
      const made = await ok(send('POST', '/api/v1/tokens', { name: 'airflow', scope: 'trigger' })({}));
      return send('DELETE', `/api/v1/tokens/${made.body.id}`);
    },
  },
  signIn: {
    action: 'session.started',
    prepare: async () => {
      const person = await addPerson(system, 'viewer');
      return (headers) => trySignIn(system, person, headers);
    },
  },
  endAllSessions: {
    action: 'user.sessions_ended',
    prepare: async () => {
      const { browser } = await newPerson();
      return (headers) => browser.call('POST', '/api/v1/session/end-all', undefined, headers);
    },
  },
  changePassword: {
    action: 'user.password_changed',
    prepare: async () => {
      const { browser, password } = await newPerson();
      const body = { current_password: password, new_password: 'a new one, and long' };
      return (headers) => browser.call('POST', '/api/v1/session/password', body, headers);
    },
  },
};

async function newInvitation(): Promise<{ id: string; url: string }> {
  const wanted = { email: `${randomUUID()}@example.com`, role: 'viewer' };
  return (await expectStatus(201, system.call('POST', '/api/v1/invitations', wanted))).body;
}

async function newJobV2() {
  const job = await newJob();
  const { body } = await ok(system.call('GET', job.path));
  const cloud = await asDbtCloud(system, { ...job, environmentId: body.environment_id });
  return { job, cloud, path: `/api/v2/accounts/${cloud.account}/jobs/${cloud.job}` };
}

async function newRunV2() {
  const { job, cloud } = await newJobV2();
  const id = await trigger(system, job);
  return { id, path: `/api/v2/accounts/${cloud.account}/runs/${await cloud.numberOf(id)}` };
}

async function succeededRunV2() {
  const run = await newRunV2();
  const end = `UPDATE runs SET status = 'success', started_at = now(), finished_at = now(), duration_ms = 0 WHERE id = $1`;
  await system.pool.query(end, [run.id]);
  return run;
}

const subscription = { name: 'told', client_url: 'https://example.com', event_types: ['job.run.started'] };

const variables = '/api/v1/orchestration/variables';
const hookSecrets = '/api/v1/orchestration/secrets';
const newName = () => `n${randomUUID()}`;

async function newValue(path: string): Promise<string> {
  return `${path}/${(await ok(system.call('POST', path, { name: newName(), value: 'ours' }))).body.id}`;
}

async function newHook(): Promise<string> {
  return `/api/v1/hooks/${(await ok(system.call('POST', '/api/v1/hooks', { url: 'https://example.com' }))).body.id}`;
}

/** The same resources under the paths of another API. */
function inWorkspace(name: string, kind: string, path: string): Record<string, Case> {
  const all = () => `/developers/workspaces/${system.organizationId}/${path}`;
  const fields = () =>
    kind === 'hook' ? { url: 'https://example.com' } : { name: newName(), value: 'ours' };
  const made = async () => `${all()}/${(await ok(system.call('POST', all(), fields()))).body._id}`;
  const change = kind === 'hook' ? { is_active: false } : { value: 'changed' };
  return {
    [`createWorkspace${name}`]: {
      action: `${kind}.created`,
      prepare: async () => send('POST', all(), fields()),
    },
    [`changeWorkspace${name}`]: {
      action: `${kind}.changed`,
      prepare: async () => send('PUT', await made(), change),
    },
    [`deleteWorkspace${name}`]: {
      action: `${kind}.deleted`,
      prepare: async () => send('DELETE', await made()),
    },
  };
}

const eventSources = '/api/v1/event-sources';

async function newEventSource(): Promise<string> {
  return (await ok(system.call('POST', eventSources, { name: newName(), auth: 'token' }))).body.id;
}

async function eventRule() {
  const { projectId, jobId } = await newJob();
  return { name: newName(), source_id: await newEventSource(), project_id: projectId, job_id: jobId };
}

async function newEventRule(): Promise<string> {
  return `/api/v1/event-rules/${(await ok(system.call('POST', '/api/v1/event-rules', await eventRule()))).body.id}`;
}

async function webhooks(): Promise<string> {
  const { body } = await ok(system.call('GET', '/api/v3/accounts'));
  return `/api/v3/accounts/${body.data[0].id}/webhooks`;
}

async function newSubscription(): Promise<{ id: string; path: string }> {
  const below = await webhooks();
  const { id } = (await ok(system.call('POST', `${below}/subscriptions`, subscription))).body.data;
  return { id, path: `${below}/subscription/${id}` };
}

/** Operations that change something and note nothing, each with the reason. */
const notNoted: Record<string, string> = {
  checkCommand: 'it says whether a job could have a command',
  checkSchedule: 'it says when a schedule would come',
  lookUpInvitation: 'it shows an invitation',
  signOut: 'it makes a browser forget its cookie: nothing changes here',
  createVariable_v3: 'it is always refused',
  receiveEvent: 'the runs that follow are noted as such; what came is a list of its own',
  previewEventRule: 'it stores nothing',
  previewHook: 'it sends and stores nothing',
  previewNewHook: 'it sends and stores nothing',
  changeVariable_v3: 'it is always refused',
  deleteVariable_v3: 'it is always refused',
};

describe('the audit log', () => {
  test('has an entry of every operation that changes something, or there is a reason why not', () => {
    const changing = apiRoutes(context).filter(({ method }) => method !== 'get');
    const names = changing.map(({ name }) => name).toSorted();
    expect([...Object.keys(noted), ...Object.keys(notNoted)].toSorted()).toEqual(names);
  });

  test.each(Object.entries(noted))(
    'has one entry of %s, with who did it and from where',
    async (name, each) => {
      const address = newAddress();
      const change = await each.prepare();
      await ok(change({ 'x-forwarded-for': address }));
      const { rows } = await system.pool.query('SELECT * FROM audit_events WHERE address = $1', [address]);
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({ action: each.action, subject_id: expect.any(String) });
      expect(['token', 'user']).toContain(rows[0].actor_kind);
      expect(rows[0].actor_id).toEqual(expect.any(String));
      expect(noted[name]).toBeDefined();
    },
  );

  test('has no entry of what was refused', async () => {
    const address = newAddress();
    const job = await newJob();
    const from = { 'x-forwarded-for': address };
    await ok(send('PATCH', job.path, { enabled: false })({}));
    await expectStatus(409, send('POST', `${job.path}/trigger`)(from));
    await expectStatus(400, send('PATCH', job.path, { timeout_seconds: -1 })(from));
    await expectStatus(404, send('DELETE', `/api/v1/tokens/${randomUUID()}`)(from));
    expect(await eventsFrom(address)).toEqual([]);
  });

  test('has one entry of a trigger that is sent again with its key', async () => {
    const headers = { 'x-forwarded-for': newAddress(), 'idempotency-key': randomUUID() };
    const { path } = await newJob();
    const [first, second] = [
      await ok(send('POST', `${path}/trigger`)(headers)),
      await ok(send('POST', `${path}/trigger`)(headers)),
    ];
    expect(second.body.job_run_id).toBe(first.body.job_run_id);
    expect(await eventsFrom(headers['x-forwarded-for'])).toMatchObject([
      {
        action: 'run.triggered',
        actor: { kind: 'token' },
        subject: { kind: 'run', id: first.body.job_run_id },
        details: { triggered_by: 'manual' },
      },
    ]);
  });

  test('tells of a sign-in that failed, in each organization of whose it was, and nothing of addresses nobody has', async () => {
    const person = await addPerson(system, 'viewer');
    const elsewhere = await asAnotherOrganization(system);
    await ok(elsewhere.call('POST', '/api/v1/users', { email: person.email, role: 'viewer' }));
    const address = newAddress();
    const tryWith = (email: string) =>
      trySignIn(system, { email, password: 'not the one' }, { 'x-forwarded-for': address });
    const wrong = await expectStatus(401, tryWith(person.email));
    const unknown = await expectStatus(401, tryWith('nobody@example.com'));
    expect({ ...unknown.body, request_id: '' }).toEqual({ ...wrong.body, request_id: '' });

    const seen = await until(
      'it is noted',
      () => eventsFrom(address),
      ({ length }) => length > 0,
    );
    const failed = {
      action: 'session.failed',
      actor: { kind: 'user', id: null, name: person.email },
      subject: { kind: 'user', id: person.id },
      address,
    };
    expect(seen).toMatchObject([failed]);
    expect(seen).toHaveLength(1);
    expect(await eventsFrom(address, elsewhere)).toMatchObject([failed]);
    const { rows } = await system.pool.query('SELECT count(*)::int FROM audit_events WHERE address = $1', [
      address,
    ]);
    expect(rows).toEqual([{ count: 2 }]);
    const { text } = await system.call('GET', '/metrics');
    const count = /^dctl_failed_authentications_total\{with="password"\} (\d+)$/m.exec(text)?.[1];
    expect(Number(count)).toBeGreaterThanOrEqual(2);
  });

  test('tells of a wrong password where somebody changes theirs', async () => {
    const { id, browser } = await newPerson();
    const address = newAddress();
    const body = { current_password: 'not the one', new_password: 'a new one, and long' };
    await expectStatus(
      400,
      browser.call('POST', '/api/v1/session/password', body, { 'x-forwarded-for': address }),
    );
    const seen = await until(
      'it is noted',
      () => eventsFrom(address),
      ({ length }) => length > 0,
    );
    expect(seen).toMatchObject([{ action: 'session.failed', subject: { id } }]);
  });

  test('is shown to the organization alone, with no address for what was done in a shell', async () => {
    const elsewhere = await asAnotherOrganization(system);
    expect((await ok(elsewhere.call('GET', '/api/v1/audit'))).body.data).toEqual([]);
    const first = await ok(system.call('GET', '/api/v1/audit?action=organization.created'));
    expect(first.body.data).toMatchObject([{ actor: { kind: 'system' }, address: null }]);
  });

  test('cannot be changed, shortened or emptied by the role that the application uses', async () => {
    await newProject();
    const { rows: before } = await system.pool.query('SELECT count(*)::int FROM audit_events');
    for (const statement of [
      `UPDATE audit_events SET actor_name = 'somebody else'`,
      'DELETE FROM audit_events',
      'TRUNCATE audit_events',
      'TRUNCATE organizations CASCADE',
    ]) {
      await expect(context.pool.query(statement)).rejects.toThrow(/audit/);
    }
    const { rows: after } = await system.pool.query('SELECT count(*)::int FROM audit_events');
    expect(after).toEqual(before);
  });
});

const addresses = { used: 0 };

function newAddress(): string {
  addresses.used += 1;
  return `198.51.100.${addresses.used}`;
}

async function eventsFrom(address: string, seenBy = system): Promise<any[]> {
  return (await ok(seenBy.call('GET', `/api/v1/audit?address=${address}`))).body.data;
}

function send(method: string, path: string, body?: unknown): Prepared {
  return (headers) => system.call(method, path, body, headers);
}

function sendDeployment(path: string): Prepared {
  return async (headers) =>
    system.call('POST', `${path}/deployments`, await archiveOf(smallProject), {
      'content-type': 'application/gzip',
      ...headers,
    });
}

async function ok(asked: Promise<Answer>): Promise<Answer> {
  const answer = await asked;
  if (answer.status >= 300) throw new Error(`${answer.status}: ${answer.text}`);
  return answer;
}

async function newProject(): Promise<{ id: string; path: string }> {
  const made = await ok(
    send('POST', '/api/v1/projects', { name: `project-${randomUUID()}`, type: 'dbt' })({}),
  );
  return { id: made.body.id, path: `/api/v1/projects/${made.body.id}` };
}

async function twiceDeployed(): Promise<{ path: string; first: string }> {
  const { path } = await newProject();
  const first = await ok(sendDeployment(path)({}));
  await ok(sendDeployment(path)({}));
  return { path, first: first.body.id };
}

async function newEnvironment(): Promise<string> {
  const path = `${(await newProject()).path}/environments`;
  return `${path}/${(await ok(send('POST', path, { name: 'staging' })({}))).body.id}`;
}

/** With a webhook. */
async function newJob(): Promise<{ projectId: string; jobId: string; path: string }> {
  const { id, path } = await newProject();
  await ok(sendDeployment(path)({}));
  const job = await createWebhookJob(system, { projectId: id }, 'http://127.0.0.1:9/');
  return { ...job, path: `${path}/jobs/${job.jobId}` };
}

/** An admin of the server, who is signed in. */
async function newPerson(): Promise<{ id: string; email: string; password: string; browser: Browser }> {
  const person = await addPerson(system, 'admin');
  await system.pool.query('UPDATE users SET is_server_admin = true WHERE id = $1', [person.id]);
  return { ...person, browser: await signIn(system, person) };
}
