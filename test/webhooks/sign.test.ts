import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { newWebhookSecret, signatureHeaders } from '../../src/webhooks/sign.ts';

const body = Buffer.from(JSON.stringify({ conf: { job: { name: 'Übersicht – 売上 🚀' } } }));

test('a secret is whsec_ and 32 random bytes in base64', () => {
  const secret = newWebhookSecret();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(Buffer.from(secret.slice(6), 'base64')).toHaveLength(32);
  expect(newWebhookSecret()).not.toBe(secret);
});

test('openssl with the whole secret recomputes X-Dagctl-Signature over the exact bytes, also of non-ASCII text', () => {
  const secret = newWebhookSecret();
  const headers = sign({ secrets: [secret] });
  const digest = execFileSync('openssl', ['dgst', '-sha256', '-hmac', secret], {
    input: body,
    encoding: 'utf8',
  });
  expect(headers['X-Dagctl-Signature']).toBe(`sha256=${digest.trim().split(' ').at(-1)}`);
  expect(headers['X-Dagctl-Event']).toBe('job.completed');
});

test('a body given as text is signed as its UTF-8 bytes', () => {
  const secrets = [newWebhookSecret()];
  expect(sign({ secrets, body: body.toString() })).toEqual(sign({ secrets }));
});

test('the standardwebhooks package accepts what is signed and refuses it with one byte flipped', () => {
  const secret = newWebhookSecret();
  const headers = sign({ secrets: [secret] });
  const receiver = new Webhook(secret);
  expect(receiver.verify(body, headers)).toEqual(JSON.parse(body.toString()));

  const changed = Buffer.from(body);
  changed[3] = (changed[3] ?? 0) ^ 1;
  expect(() => receiver.verify(changed, headers)).toThrow('No matching signature found');
  expect(sign({ secrets: [secret], body: changed })['X-Dagctl-Signature']).not.toBe(
    headers['X-Dagctl-Signature'],
  );
});

test('while a secret is being replaced, receivers with the old and with the new one both verify', () => {
  const [current, older] = [newWebhookSecret(), newWebhookSecret()];
  const headers = sign({ secrets: [current, older] });
  expect(() => new Webhook(current).verify(body, headers)).not.toThrow();
  expect(() => new Webhook(older).verify(body, headers)).not.toThrow();
  expect(() => new Webhook(newWebhookSecret()).verify(body, headers)).toThrow();
  expect(headers['X-Dagctl-Signature']).toBe(sign({ secrets: [current] })['X-Dagctl-Signature']);
});

test('the retry has the id of the first try and a timestamp of its own, so an old capture is refused', () => {
  const secret = newWebhookSecret();
  const first = sign({ secrets: [secret], sentAt: new Date(Date.now() - 301_000) });
  const retry = sign({ secrets: [secret] });
  expect(retry['webhook-id']).toBe(first['webhook-id']);
  expect(retry['X-Dagctl-Signature']).toBe(first['X-Dagctl-Signature']);
  expect(retry['webhook-timestamp']).not.toBe(first['webhook-timestamp']);
  expect(() => new Webhook(secret).verify(body, first)).toThrow('Message timestamp too old');
  expect(() => new Webhook(secret).verify(body, retry)).not.toThrow();
});

test('the timestamp is in whole seconds', () => {
  const headers = sign({ secrets: [newWebhookSecret()], sentAt: new Date('2026-04-02T12:00:00.999Z') });
  expect(headers['webhook-timestamp']).toBe('1775131200');
});

test('nothing is sent unsigned: no secret is an error', () => {
  expect(() => sign({ secrets: [] })).toThrow('without a secret');
});

function sign(given: { secrets: string[]; body?: Buffer | string; sentAt?: Date }): Record<string, string> {
  return signatureHeaders({
    deliveryId: 'dlv-1',
    event: 'job.completed',
    sentAt: new Date(),
    body,
    ...given,
  });
}
