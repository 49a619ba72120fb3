import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { dockerExecutor } from '../../worker/executors/docker.ts';
import { makeAuthority, type Authority } from '../support/certificates.ts';
import { deployProject, ended, trigger } from '../support/project.ts';
import { startSystem } from '../support/system.ts';

const names = ['DOCKER_HOST', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH'];
const before = names.map((name) => [name, process.env[name]] as const);

let certificates: Authority;
let engine: { host: string; close(): void };

beforeAll(async () => {
  certificates = await makeCertificates();
  engine = await openTlsEngine(certificates.folder);
});
afterEach(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});
afterAll(async () => {
  engine.close();
  await certificates.remove();
});

test('a worker executes runs on an engine that wants a client certificate', async () => {
  const system = await startSystem({
    environment: { DOCKER_HOST: engine.host, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates.folder },
  });
  try {
    const run = await ended(system, await trigger(system, await deployProject(system)));
    expect(run).toMatchObject({ status: 'success' });
  } finally {
    await system.stop();
  }
});

test('it talks to no engine that another authority vouches for, and is let into none without a certificate', async () => {
  const strangers = await makeCertificates();
  try {
    expect(await listWith({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates.folder })).toBe('listed');
    expect(await listWith({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: strangers.folder })).toMatch(
      /certificate|signature/,
    );
    // It trusts the engine, but has nothing to show.
    const ca = await readFile(certificates.ca);
    await writeFile(strangers.ca, ca);
    expect(await listWith({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: strangers.folder })).not.toBe('listed');
  } finally {
    await strangers.remove();
  }
});

async function listWith(environment: Record<string, string>): Promise<string> {
  Object.assign(process.env, { DOCKER_HOST: engine.host, ...environment });
  const executor = dockerExecutor({ network: 'dctl-runs', runtime: undefined });
  return executor.list().then(
    () => 'listed',
    (error: Error) => error.message,
  );
}

/** This machine's engine behind TLS that asks its callers for a certificate, as `dockerd --tlsverify` does. */
async function openTlsEngine(folder: string): Promise<{ host: string; close(): void }> {
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'server-cert.pem', 'server-key.pem'].map((name) => readFile(join(folder, name))),
  );
  const target = new URL(process.env['DOCKER_HOST'] || 'unix:///var/run/docker.sock');
  const sockets = new Set<{ destroy(): void }>();
  const settings = { ca, cert, key, requestCert: true, rejectUnauthorized: true, allowHalfOpen: true };
  const server = createServer(settings, (client) => {
    const socket =
      target.protocol === 'unix:'
        ? connect({ path: target.pathname, allowHalfOpen: true })
        : connect(Number(target.port), target.hostname);
    for (const each of [client, socket]) sockets.add(each.on('error', () => undefined));
    client.on('close', () => socket.destroy());
    socket.on('close', () => client.destroy());
    client.pipe(socket).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** An authority, and a certificate by it for each end, under the names that Docker gives them. */
async function makeCertificates(): Promise<Authority> {
  const authority = await makeAuthority();
  await authority.issue({ cert: 'server-cert.pem', key: 'server-key.pem', name: 'IP:127.0.0.1' });
  await authority.issue({ cert: 'cert.pem', key: 'key.pem', name: 'DNS:worker', usage: 'clientAuth' });
  return authority;
}
