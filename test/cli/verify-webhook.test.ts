import { describe, expect, test } from '@jest/globals';
import { verifyWebhook } from '../../client/index.ts';
import { newWebhookSecret, signatureHeaders } from '../../src/webhooks/sign.ts';
import { newPerson } from './dctl.ts';

const secret = newWebhookSecret();
const body = JSON.stringify({ conf: { event: 'job.completed', project: { name: 'schön' } } });
const signed = (secrets = [secret], sentAt = new Date()) =>
  signatureHeaders({ deliveryId: 'delivery-1', event: 'job.completed', sentAt, body, secrets });
const without = (headers: Record<string, string>, prefix: string) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !name.toLowerCase().startsWith(prefix)));

describe('a webhook as the server signs it', () => {
  test('is genuine, by either of its signatures', async () => {
    expect(await verifyWebhook(body, signed(), secret)).toMatchObject({
      isGenuine: true,
      event: 'job.completed',
      deliveryId: 'delivery-1',
      sentAt: expect.any(Date),
    });
    const own = without(signed(), 'webhook-');
    expect(await verifyWebhook(Buffer.from(body), new Headers(own), secret)).toMatchObject({
      isGenuine: true,
    });
  });

  test('is genuine with the new and with the old secret while one takes the place of the other', async () => {
    const fresh = newWebhookSecret();
    const headers = signed([fresh, secret]);
    for (const each of [fresh, secret]) {
      expect(await verifyWebhook(body, headers, each)).toMatchObject({ isGenuine: true });
      expect(await verifyWebhook(body, without(headers, 'webhook-'), each)).toMatchObject({
        isGenuine: true,
      });
    }
  });

  test('costs no more for signatures without end: only the first few are looked at', async () => {
    const headers = signed();
    const standard = headers['webhook-signature']!;
    const behind = (wrong: number) => ({
      ...headers,
      'webhook-signature': [...Array<string>(wrong).fill('v1,'), standard].join(' '),
    });
    expect(await verifyWebhook(body, behind(4), secret)).toMatchObject({ isGenuine: true });
    expect(await verifyWebhook(body, behind(5), secret)).toMatchObject({ isGenuine: false });
  });

  test.each<[string, () => Parameters<typeof verifyWebhook>]>([
    ['with another body', () => [`${body} `, signed(), secret]],
    ['with another body and no time', () => [`${body} `, without(signed(), 'webhook-'), secret]],
    ['with another secret', () => [body, signed(), newWebhookSecret()]],
    ['with another id', () => [body, { ...signed(), 'webhook-id': 'other' }, secret]],
    ['from yesterday', () => [body, signed([secret], new Date(Date.now() - 86_400_000)), secret]],
    ['from tomorrow', () => [body, signed([secret], new Date(Date.now() + 86_400_000)), secret]],
    ['without signatures', () => [body, { 'x-dagctl-event': 'job.completed' }, secret]],
    ['with a signature that is none', () => [body, { 'x-dagctl-signature': 'sha256=zz' }, secret]],
    ['with an empty secret', () => [body, signed(), '']],
    ['with a secret that is none', () => [body, signed(), 'whsec_***']],
  ])('%s is not', async (_name, asked) => {
    expect(await verifyWebhook(...asked())).toMatchObject({ isGenuine: false, why: expect.any(String) });
  });
});

test('dctl webhook verify reads body and headers from stdin, or headers from its options', async () => {
  const person = await newPerson();
  try {
    const environment = { DCTL_WEBHOOK_SECRET: secret };
    const headers = Object.entries(signed()).map(([name, value]) => `${name}: ${value}`);
    const request = ['POST /hook HTTP/1.1', ...headers, '', body].join('\r\n');
    const whole = await person.dctl(['webhook', 'verify'], { input: request, environment });
    expect(whole).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Genuine: job.completed') });

    const options = headers.flatMap((header) => ['-H', header]);
    const split = await person.dctl(['webhook', 'verify', '--json', ...options], {
      input: body,
      environment,
    });
    expect(split).toMatchObject({ exitCode: 0, json: { isGenuine: true, event: 'job.completed' } });

    const forged = await person.dctl(['webhook', 'verify', ...options], { input: `${body}\n`, environment });
    expect(forged).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('Not genuine') });

    const unsaid = await person.dctl(['webhook', 'verify', ...options], { input: body });
    expect(unsaid).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('DCTL_WEBHOOK_SECRET') });
  } finally {
    await person.leave();
  }
});
