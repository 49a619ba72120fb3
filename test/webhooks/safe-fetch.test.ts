import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, expect, test } from '@jest/globals';
import { parseCidrs } from '../../src/addresses.ts';
import { mergeHeaders } from '../../src/webhooks/headers.ts';
import { newWebhookSecret, signatureHeaders } from '../../src/webhooks/sign.ts';
import { postOnce } from '../../worker/safe-fetch.ts';
import type { Post } from '../../worker/safe-fetch.ts';
import { startDnsServer } from './dns-server.ts';
import type { DnsServer } from './dns-server.ts';
import { listen, startReceiver } from '../support/receiver.ts';
import type { Receiver } from '../support/receiver.ts';

const body = Buffer.from('{"conf":{"job":{"name":"Übersicht"}}}');
const open: { close: () => Promise<unknown> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((thing) => thing.close()));
});

test('the exact bytes arrive once, on a connection that is not kept', async () => {
  const receiver = await receive((response) => response.writeHead(201).end('started'));
  const outcome = await post(receiver.url);
  expect(outcome).toEqual({
    kind: 'answered',
    status: 201,
    durationMs: expect.any(Number),
    answer: 'started',
  });
  expect(receiver.hits).toHaveLength(1);
  expect(receiver.hits[0]?.body).toEqual(body);
  expect(headerValues(receiver, 'connection')).toEqual(['close']);
  expect(headerValues(receiver, 'content-length')).toEqual([String(body.length)]);
});

test('a receiver finds one signature, ours, whatever headers the user set', async () => {
  const receiver = await receive((response) => response.end());
  const signed = signatureHeaders({
    deliveryId: 'dlv-1',
    event: 'job.completed',
    sentAt: new Date(),
    body,
    secrets: [newWebhookSecret()],
  });
  const forged = {
    'x-dagctl-signature': 'forged',
    'X-DAGCTL-SIGNATURE': 'forged',
    host: 'forged',
    'Webhook-Id': 'forged',
    'content-length': '0',
    'content-type': 'text/plain',
    Authorization: 'Basic eA==',
  };
  await post(receiver.url, { headers: mergeHeaders(forged, signed) });
  expect(headerValues(receiver, 'x-dagctl-signature')).toEqual([signed['X-Dagctl-Signature']]);
  expect(headerValues(receiver, 'webhook-id')).toEqual(['dlv-1']);
  expect(headerValues(receiver, 'content-type')).toEqual(['application/json']);
  expect(headerValues(receiver, 'host')).toEqual([`127.0.0.1:${receiver.port}`]);
  expect(headerValues(receiver, 'authorization')).toEqual(['Basic eA==']);
  expect(receiver.hits[0]?.body).toEqual(body);
});

test('a header with a line break sends nothing and is not repeated in the reason', async () => {
  const receiver = await receive((response) => response.end());
  const outcome = await post(receiver.url, { headers: { 'X-A': 'hunter2\r\nX-Dagctl-Event: forged' } });
  expect(outcome).toMatchObject({
    kind: 'failed',
    reason: 'The request could not be put together (ERR_INVALID_CHAR).',
  });
  expect(receiver.connections()).toBe(0);
});

test.each([301, 302, 303, 307, 308])('a %d is an answer: where it points gets no request', async (status) => {
  const target = await receive((response) => response.end());
  const receiver = await receive((response) => response.writeHead(status, { Location: target.url }).end());
  expect(await post(receiver.url)).toMatchObject({ kind: 'answered', status });
  expect(receiver.hits).toHaveLength(1);
  expect(target.connections()).toBe(0);
});

test('a receiver that never answers is cut off at the time limit', async () => {
  const receiver = await receive(() => undefined);
  const outcome = await post(receiver.url, { timeoutMs: 300 });
  expect(outcome).toMatchObject({ kind: 'timed_out', status: null, answer: '' });
  expectDuration(outcome, 300);
  expect(receiver.hits).toHaveLength(1);
});

test('a receiver that drips its answer is cut off at the time limit', async () => {
  const receiver = await receive((response) => {
    const timer = setInterval(() => response.write('a'), 100);
    response.on('close', () => clearInterval(timer));
  });
  const outcome = await post(receiver.url, { timeoutMs: 1500 });
  expect(outcome).toMatchObject({
    kind: 'timed_out',
    status: 200,
    answer: expect.stringMatching(/^a{5,15}$/),
  });
  expectDuration(outcome, 1500);
});

test('a receiver that drips its headers is cut off at the time limit', async () => {
  const receiver = await accept(
    createTcpServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => socket.write('X-Drip: 1\r\n'), 50);
      socket.on('close', () => clearInterval(timer));
    }),
  );
  const outcome = await post(receiver.url, { timeoutMs: 400 });
  expect(outcome).toMatchObject({ kind: 'timed_out', status: null });
  expectDuration(outcome, 400);
});

test('a name look-up that hangs counts towards the time limit', async () => {
  const outcome = await post('http://hooks.example.test/', {
    timeoutMs: 200,
    resolve: () => new Promise(() => undefined),
  });
  expect(outcome).toMatchObject({ kind: 'timed_out', status: null });
  expectDuration(outcome, 200);
});

test('a TLS handshake that hangs counts towards the time limit', async () => {
  const receiver = await accept(createTcpServer());
  const outcome = await post(`https://127.0.0.1:${receiver.port}/`, { timeoutMs: 200 });
  expect(outcome).toMatchObject({ kind: 'timed_out', status: null });
  expectDuration(outcome, 200);
});

test('an answer of 1 GiB is read to 64 KiB, kept to 2 KiB, and costs no memory', async () => {
  const sender = await startGibibyteSender();
  await post(sender.url);
  const rssBefore = process.memoryUsage().rss;
  const outcome = await post(sender.url);
  expect(process.memoryUsage().rss - rssBefore).toBeLessThan(5 * 1024 ** 2);
  expect(outcome).toMatchObject({ kind: 'answered', status: 200, answer: 'a'.repeat(2048) });
  // What the kernel takes from the sender before the connection closes, and no more.
  for (const sentBytes of await sender.sentBytes(2)) expect(sentBytes).toBeLessThan(32 * 1024 ** 2);
});

test('the kept answer holds no control characters and no half of a character', async () => {
  const receiver = await receive((response) => response.end(`a\0b\x1b[31m\r\n\tc\x85${'é'.repeat(2000)}`));
  const outcome = await post(receiver.url);
  const answer = 'answer' in outcome ? outcome.answer : '';
  expect(answer.startsWith('ab[31m\n\tcé')).toBe(true);
  expect(answer.replaceAll(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\ufffd]/u);
  expect(Buffer.byteLength(answer)).toBeLessThanOrEqual(2048);
});

test('an answer that repeats a secret header is kept with the secret masked', async () => {
  const receiver = await receive((response, request) => response.end(`got ${request.headers.authorization}`));
  const outcome = await post(receiver.url, {
    headers: { Authorization: 'Basic c2VjcmV0' },
    hide: ['Basic c2VjcmV0'],
  });
  expect(outcome).toMatchObject({ kind: 'answered', answer: 'got ***' });
});

test('a connection that is closed without an answer is a failure, and nothing is sent again', async () => {
  const receiver = await receive((response) => response.destroy());
  expect(await post(receiver.url)).toMatchObject({
    kind: 'failed',
    reason: 'The connection ended before an answer came (ECONNRESET).',
  });
  expect(receiver.connections()).toBe(1);
});

test('an answer whose body breaks off still counts with its status', async () => {
  const receiver = await receive((response) => {
    response.writeHead(200, { 'Content-Length': 1000 });
    response.write('half', () => response.destroy());
  });
  expect(await post(receiver.url)).toMatchObject({ kind: 'answered', status: 200, answer: 'half' });
});

test('what is not HTTP is a failure that repeats none of it', async () => {
  const receiver = await accept(createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
  expect(await post(receiver.url)).toMatchObject({
    kind: 'failed',
    reason: expect.stringMatching(/^What came back is not an HTTP answer \(HPE_[A-Z_]+\)\.$/),
  });
});

test('a refused connection is a failure with the code of the system', async () => {
  const receiver = await receive(() => undefined);
  await receiver.close();
  open.length = 0;
  expect(await post(receiver.url)).toMatchObject({
    kind: 'failed',
    reason: 'No connection to the host could be made (ECONNREFUSED).',
  });
});

test('a name that does not exist is a failure', async () => {
  const dns = await answerNames([]);
  expect(await post('http://hooks.example.test/', { resolve: dns.resolve })).toMatchObject({
    kind: 'failed',
    reason: 'The name of the host could not be resolved (ENOTFOUND).',
  });
});

test('TLS: a certificate nobody vouches for fails, one for another name fails, a trusted one is delivered', async () => {
  const { key, cert } = selfSigned('hooks.example.test');
  const receiver = await accept(createTlsServer({ key, cert }, (_request, response) => response.end('ok')));
  const dns = await answerNames(['127.0.0.1']);
  const send = (host: string) => post(`https://${host}:${receiver.port}/`, { resolve: dns.resolve });

  expect(await send('hooks.example.test')).toMatchObject({
    kind: 'failed',
    reason: 'The TLS connection could not be made (DEPTH_ZERO_SELF_SIGNED_CERT).',
  });

  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, cert]);
  try {
    expect(await send('hooks.example.test')).toMatchObject({ kind: 'answered', status: 200, answer: 'ok' });
    expect(await send('other.example.test')).toMatchObject({
      kind: 'failed',
      reason: 'The TLS connection could not be made (ERR_TLS_CERT_ALTNAME_INVALID).',
    });
  } finally {
    setDefaultCACertificates(trusted);
  }
});

test('a caller that stops waiting gets its own reason, before and during the request', async () => {
  const receiver = await receive(() => stopping.abort(new Error('shutting down')));
  const stopping = new AbortController();
  await expect(post(receiver.url, { signal: stopping.signal })).rejects.toThrow('shutting down');
  await expect(post(receiver.url, { signal: stopping.signal })).rejects.toThrow('shutting down');
  expect(receiver.connections()).toBe(1);
});

function post(url: string, given: Partial<Post> = {}) {
  return postOnce({ url, headers: {}, body, allowCidrs: parseCidrs('127.0.0.0/8'), ...given });
}

async function receive(answer: Parameters<typeof startReceiver>[0]): Promise<Receiver> {
  const receiver = await startReceiver(answer);
  open.push(receiver);
  return receiver;
}

async function accept(server: Server): Promise<Omit<Receiver, 'hits'>> {
  const receiver = await listen(server);
  open.push(receiver);
  return receiver;
}

async function answerNames(...answers: string[][]): Promise<DnsServer> {
  const dns = await startDnsServer(...answers);
  open.push(dns);
  return dns;
}

/** A receiver in a process of its own, so that only our memory is measured. It answers each request with 1 GiB. */
async function startGibibyteSender() {
  const script = `
    const chunk = Buffer.alloc(65536, 'a');
    const server = require('node:http').createServer((request, response) => {
      let sent = 0;
      const fill = () => {
        while (sent < 2 ** 30 && !response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return response.once('drain', fill);
        }
      };
      response.on('close', () => console.log(sent));
      response.writeHead(200, { 'Content-Length': 2 ** 30 });
      fill();
    });
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  open.push({ close: () => (child.kill('SIGKILL'), exited) });

  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextNumber = async () => Number((await lines.next()).value);
  const port = await nextNumber();
  return {
    url: `http://127.0.0.1:${port}/`,
    sentBytes: async (count: number) => {
      const sizes: number[] = [];
      while (sizes.length < count) sizes.push(await nextNumber());
      return sizes;
    },
  };
}

/** Every value the receiver's first request had for a header, one for each line that carried it. */
function headerValues({ hits }: Receiver, name: string): (string | undefined)[] {
  const raw = hits[0]?.rawHeaders ?? [];
  return raw.filter((_text, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === name);
}

function expectDuration(outcome: Awaited<ReturnType<typeof postOnce>>, timeoutMs: number): void {
  const durationMs = 'durationMs' in outcome ? outcome.durationMs : NaN;
  expect(durationMs).toBeGreaterThanOrEqual(timeoutMs - 5);
  expect(durationMs).toBeLessThan(timeoutMs + 500);
}

function selfSigned(name: string): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'dctl-tls-'));
  try {
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`];
    const files = ['-keyout', join(folder, 'key'), '-out', join(folder, 'cert')];
    execFileSync('openssl', [...request, '-addext', `subjectAltName=DNS:${name}`, ...files], {
      stdio: 'ignore',
    });
    return {
      key: readFileSync(join(folder, 'key'), 'utf8'),
      cert: readFileSync(join(folder, 'cert'), 'utf8'),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
