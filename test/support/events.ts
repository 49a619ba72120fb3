import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { createJob, expectStatus, type DeployedProject } from './project.ts';
import { call, type Answer, type System } from './system.ts';

export type Style = 'token' | 'standard_webhooks' | 'github' | 'stripe';

export interface Source {
  id: string;
  name: string;
  auth: Style;
  secret: string;
}

export async function createSource(
  system: System,
  auth: Style = 'token',
  fields: Record<string, unknown> = {},
): Promise<Source> {
  const name = `source-${Math.random().toString(36).slice(2)}`;
  const made = system.call('POST', '/api/v1/event-sources', { name, auth, ...fields });
  return (await expectStatus(201, made)).body;
}

/** A rule of a job of its own, unless the fields name one. */
export async function createRule(
  system: System,
  source: Source,
  project: DeployedProject,
  fields: Record<string, unknown> = {},
): Promise<{ id: string; jobId: string; name: string }> {
  const jobId = (fields['job_id'] as string | undefined) ?? (await createJob(system, project.projectId, {}));
  const name = `rule-${Math.random().toString(36).slice(2)}`;
  const wanted = { name, source_id: source.id, job_id: jobId, ...fields };
  const { body } = await expectStatus(201, system.call('POST', '/api/v1/event-rules', wanted));
  return { id: body.id, jobId, name: body.name };
}

/** Headers as a sender of the style makes them. `at`: its clock. */
export function signed(
  { auth, secret }: Source,
  id: string,
  body: string,
  at = new Date(),
): Record<string, string> {
  const seconds = String(Math.floor(at.getTime() / 1_000));
  const hmac = (text: string) => createHmac('sha256', secret).update(text).digest('hex');
  switch (auth) {
    case 'token':
      return { authorization: `Bearer ${secret}`, 'webhook-id': id };
    case 'standard_webhooks':
      return {
        'webhook-id': id,
        'webhook-timestamp': seconds,
        'webhook-signature': new Webhook(secret).sign(id, at, body),
      };
    case 'github':
      return {
        'x-github-delivery': id,
        'x-github-event': 'push',
        'x-hub-signature-256': `sha256=${hmac(body)}`,
      };
    case 'stripe':
      return { 'stripe-signature': `t=${seconds},v0=${'0'.repeat(64)},v1=${hmac(`${seconds}.${body}`)}` };
  }
}

/** Sends an event as its source does; the body byte for byte where it is a text. */
export function send(
  { url }: Pick<System, 'url'>,
  source: Source,
  id: string,
  data: Record<string, unknown> | string,
  headers?: Record<string, string>,
): Promise<Answer> {
  const body =
    typeof data === 'string' ? data : JSON.stringify(source.auth === 'stripe' ? { id, ...data } : data);
  return call(`${url}/api/v1/events/${source.id}`, 'POST', Buffer.from(body), {
    'content-type': 'application/json',
    ...(headers ?? signed(source, id, body)),
  });
}
