import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, test } from '@jest/globals';
import { parseCidrs } from '../../src/addresses.ts';
import { postOnce } from '../../worker/safe-fetch.ts';
import type { Post } from '../../worker/safe-fetch.ts';
import { startDnsServer } from './dns-server.ts';
import type { DnsServer } from './dns-server.ts';
import { startReceiver } from '../support/receiver.ts';
import type { Receiver } from '../support/receiver.ts';

const open: { close: () => Promise<unknown> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((thing) => thing.close()));
});

test('a name is resolved once and the connection goes to the address that was judged', async () => {
  const receiver = await receive((response) => response.end());
  const dns = await answerNames(['127.0.0.2'], ['127.0.0.1']);
  const allowed = { allowCidrs: parseCidrs('127.0.0.2/32'), resolve: dns.resolve };
  const url = `http://rebind.example.test:${receiver.port}/`;

  expect(await post(url, allowed)).toMatchObject({ kind: 'answered', status: 200 });
  expect(dns.queries()).toBe(1);
  expect(receiver.hits.map(({ at }) => at)).toEqual(['127.0.0.2']);

  expect(await post(url, allowed)).toMatchObject({ kind: 'blocked' });
  expect(receiver.connections()).toBe(1);
});

test.each([
  ['127.0.0.1 alone', ['127.0.0.1']],
  ['127.0.0.1 behind a public address', ['8.8.8.8', '127.0.0.1']],
  ['127.0.0.1 before a public address', ['127.0.0.1', '8.8.8.8']],
  ['0.0.0.0', ['0.0.0.0']],
])('a name that resolves to %s reaches nothing', async (_what, addresses) => {
  const receiver = await receive((response) => response.end());
  const dns = await answerNames(addresses);
  const outcome = await post(`http://rebind.example.test:${receiver.port}/`, {
    allowCidrs: [],
    resolve: dns.resolve,
  });
  expect(outcome).toMatchObject({ kind: 'blocked' });
  expect(receiver.connections()).toBe(0);
});

test.each(['127.0.0.1', '2130706433', '0x7f.1', '127.1', '[::ffff:7f00:1]', 'localhost', 'localhost.'])(
  'http://%s reaches nothing, and the reason does not tell an open port from a closed one',
  async (host) => {
    const receiver = await receive((response) => response.end());
    const toOpenPort = await post(`http://${host}:${receiver.port}/`, { allowCidrs: [] });
    const toClosedPort = await post(`http://${host}:1/`, { allowCidrs: [] });
    expect(toOpenPort).toEqual({ kind: 'blocked', reason: expect.stringContaining('loopback') });
    expect(toOpenPort).toEqual(toClosedPort);
    expect(receiver.connections()).toBe(0);
  },
);

test('a name that resolves to a metadata address is blocked with every range opened', async () => {
  const dns = await answerNames(['169.254.169.254']);
  const allowCidrs = parseCidrs('0.0.0.0/0, ::/0');
  const outcome = await post('http://metadata.example.test/', { allowCidrs, resolve: dns.resolve });
  expect(outcome).toMatchObject({ kind: 'blocked', reason: expect.stringContaining('link-local') });
  const literal = await post('http://169.254.169.254/latest/meta-data', { allowCidrs });
  expect(literal).toMatchObject({ kind: 'blocked' });
});

test('a proxy named in the environment gets no request', async () => {
  const proxy = await receive((response) => response.end());
  const receiver = await receive((response) => response.end('direct'));
  const url = JSON.stringify(receiver.url);
  const script = `
    const { postOnce } = await import('${new URL('../../worker/safe-fetch.ts', import.meta.url)}');
    const { parseCidrs } = await import('${new URL('../../src/addresses.ts', import.meta.url)}');
    const allowCidrs = parseCidrs('127.0.0.0/8');
    const outcome = await postOnce({ url: ${url}, headers: {}, body: Buffer.from('{}'), allowCidrs });
    console.log(outcome.answer);`;
  const address = new URL(proxy.url).origin;
  const printed = await run(script, {
    NODE_USE_ENV_PROXY: '1',
    HTTP_PROXY: address,
    http_proxy: address,
  });
  expect(printed.trim()).toBe('direct');
  expect(proxy.connections()).toBe(0);
});

function post(url: string, given: Pick<Post, 'allowCidrs'> & Partial<Post>) {
  return postOnce({ url, headers: {}, body: Buffer.from('{}'), ...given });
}

async function receive(answer: Parameters<typeof startReceiver>[0]): Promise<Receiver> {
  const receiver = await startReceiver(answer);
  open.push(receiver);
  return receiver;
}

async function answerNames(...answers: string[][]): Promise<DnsServer> {
  const dns = await startDnsServer(...answers);
  open.push(dns);
  return dns;
}

/** Runs an ES module in a process of its own and resolves with what it printed. */
async function run(script: string, environment: Record<string, string>): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env['PATH'], ...environment },
    timeout: 20_000,
  });
  return stdout;
}
