import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { request as ask, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ownServer } from '../../scripts/setup/own-server.ts';
import { readConfig } from '../../src/config.ts';
import { portProblem } from '../../src/port.ts';
import { makeAuthority, type Authority } from '../support/certificates.ts';
import { startProcess } from '../support/process.ts';
import { addPerson, trySignIn } from '../support/session.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

const warning = 'the new TLS certificate cannot be used; the one before is still served';

let authority: Authority;
let system: System;
let ca: Buffer;
let settings: Record<string, string>;

/** As Kubernetes mounts a secret: the files are links into the folder that `..data` leads to. */
beforeAll(async () => {
  authority = await makeAuthority();
  ca = await readFile(authority.ca);
  const at = (name: string) => join(authority.folder, name);
  await mount(await issue('first'));
  for (const name of ['tls.crt', 'tls.key']) await symlink(join('..data', name), at(name));
  settings = { DCTL_TLS_CERT: at('tls.crt'), DCTL_TLS_KEY: at('tls.key'), DCTL_PLAIN_PORT: '0' };
  system = await startSystem({ workers: 0, environment: settings });
});
afterAll(async () => {
  await system.stop();
  await authority.remove();
});

test('DCTL_PORT speaks https and DCTL_PLAIN_PORT http, with a Secure cookie over the one alone', async () => {
  expect(await get('/readyz')).toMatchObject({ status: 200 });
  expect(await get('/api/v1/projects', { authorization: `Bearer ${system.token}` })).toMatchObject({
    status: 200,
    text: '{"data":[],"next_cursor":null}',
  });
  expect((await system.call('GET', '/metrics')).text).toContain('dctl_');

  const person = await addPerson(system, 'viewer');
  const overHttp = await trySignIn(system, person);
  expect(overHttp.headers.get('set-cookie')).not.toContain('Secure');
  const { email, password } = person;
  const json = { 'content-type': 'application/json' };
  const overHttps = await get('/api/v1/session', json, { email, password });
  expect(overHttps.cookie).toContain('Secure');
});

test('older versions than TLS 1.2 are refused', async () => {
  const versions = async (maxVersion: 'TLSv1.1' | 'TLSv1.2') => {
    const socket = dial({ minVersion: 'TLSv1', maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' });
    return once(socket, 'secureConnect')
      .then(
        () => socket.getProtocol(),
        () => 'refused',
      )
      .finally(() => socket.destroy());
  };
  expect([await versions('TLSv1.1'), await versions('TLSv1.2')]).toEqual(['refused', 'TLSv1.2']);
});

test('the health check of the image and what npm start asks reach it by its certificate', async () => {
  const [, api = ''] = (await readFile('Dockerfile', 'utf8')).split(' AS api\n');
  const [, command = ''] = /^HEALTHCHECK[^[]+?CMD (\[.+\])$/m.exec(api) ?? [];
  const [, ...args] = JSON.parse(command) as [string, ...string[]];
  const port = new URL(system.tlsUrl).port;
  const check = (environment: Record<string, string>) =>
    spawnSync(process.execPath, args, { env: { DCTL_PORT: port, ...environment } }).status;
  expect([check(settings), check({})]).toEqual([0, 1]);

  const { DCTL_PLAIN_PORT: _, ...alone } = { ...system.environment, ...settings };
  const server = ownServer(readConfig({ ...alone, DCTL_PORT: port }));
  const signal = AbortSignal.timeout(10_000);
  expect((await server.fetch(`${server.url}/readyz`, { signal })).status).toBe(200);
  const stranger = await issue('stranger');
  const others = ownServer(readConfig({ ...alone, DCTL_PORT: port, DCTL_TLS_CERT: stranger.cert }));
  await expect(others.fetch(`${others.url}/readyz`, { signal })).rejects.toThrow();
});

test('a new pair is served within seconds, and a request that is under way is answered', async () => {
  const before = await servedSerial();
  const underWay = dial();
  underWay.write('GET /livez HTTP/1.1\r\nHost: dctl\r\n');
  await once(underWay, 'secureConnect');

  await mount(await issue('second'));
  const after = await until('the new certificate is served', servedSerial, (serial) => serial !== before);
  expect(underWay.getPeerCertificate().serialNumber).toBe(before);
  underWay.end('Connection: close\r\n\r\n');
  expect(await text(underWay)).toMatch(/^HTTP\/1\.1 200 /);

  // As certbot does it without links of links: each file takes the place of the one before.
  const third = await issue('third');
  await rename(third.key, settings['DCTL_TLS_KEY']!);
  await rename(third.cert, settings['DCTL_TLS_CERT']!);
  await until('the third certificate is served', servedSerial, (serial) => serial !== after);
  expect(warnings()).toEqual([]);
});

test('a pair that cannot be used leaves the one before, with one warning, until a good one comes', async () => {
  const before = await servedSerial();
  const [cert, key] = [settings['DCTL_TLS_CERT']!, settings['DCTL_TLS_KEY']!];
  const good = await issue('fourth');
  const whole = await readFile(good.cert);
  await writeFile(cert, whole.subarray(0, 200));
  await until('it is warned of half a certificate', warnings, (said) => said.length === 1);
  const since = performance.now();
  await until(
    'the files were looked at once more',
    () => performance.now(),
    (now) => now > since + 1_500,
  );
  await writeFile(cert, whole);
  await until('it is warned of a wrong key', warnings, (said) => said.length === 2);
  expect(await servedSerial()).toBe(before);

  await copyFile(good.key, key);
  await until('the good pair is served', servedSerial, (serial) => serial !== before);
  expect(warnings()).toEqual([
    'DCTL_TLS_CERT: the file holds no certificate in PEM',
    expect.stringContaining('DCTL_TLS_KEY: the key is not that of the certificate'),
  ]);
  const said = system.api.lines.map((line) => JSON.stringify(line)).join('\n');
  expect(said).not.toContain('PRIVATE KEY');
});

test('a pair that cannot be used at the start is refused with a sentence', async () => {
  const [one, other] = [await issue('one'), await issue('other')];
  const refusal = (cert: string, key: string) => {
    const environment = { ...system.environment, DCTL_TLS_CERT: cert, DCTL_TLS_KEY: key };
    return startProcess('dist/src/main.js', environment)
      .said('serving')
      .then(
        () => 'serving',
        (error: Error) => error.message,
      );
  };
  expect(await refusal(one.cert, other.key)).toContain(
    'DCTL_TLS_KEY: the key is not that of the certificate in DCTL_TLS_CERT',
  );
  expect(await refusal(one.cert, `${one.key}.gone`)).toMatch(/DCTL_TLS_KEY: \S+ cannot be read \(ENOENT\)/);
});

test.each([
  ['DCTL_PORT', 'src', 'server', () => system.tlsUrl],
  ['DCTL_PLAIN_PORT', 'src', 'server', () => system.url],
  ['DCTL_WORKER_PORT', 'worker', 'worker', () => system.url],
] as const)(
  'a %s that another process has is named in one line, and the process ends',
  async (setting, folder, who, url) => {
    const { port } = new URL(url());
    const other = startProcess(`dist/${folder}/main.js`, { ...system.environment, [setting]: port });
    let complaints = '';
    other.child.stderr!.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    expect(await other.ended).toBe(1);
    const said = other.lines.filter(({ level }) => level !== 'info');
    expect(said).toMatchObject([
      {
        level: 'error',
        msg: `the ${who} cannot listen`,
        problem: `${setting}: port ${port} of 127.0.0.1 is taken by another process. Stop that, or choose another port.`,
      },
    ]);
    expect(complaints).toBe('');
  },
);

test.each([
  ['EACCES', 'DCTL_PORT: port 443 of ::1 is not for this user.'],
  ['EADDRNOTAVAIL', 'DCTL_HOST: ::1 is no address of this machine'],
])('%s says which setting to change', (code, sentence) => {
  const settings = { DCTL_PORT: 443, DCTL_PLAIN_PORT: 80, DCTL_WORKER_PORT: undefined, DCTL_HOST: '::1' };
  expect(portProblem(code, 'DCTL_PORT', settings)).toContain(sentence);
});

test('a stop lets both servers answer what is under way', async () => {
  const other = startProcess('dist/src/main.js', system.environment);
  const { address, plain } = (await other.said('serving')) as Record<string, { port: number }>;
  const socket = dial({ port: address!.port });
  await once(socket, 'secureConnect');
  socket.write('GET /livez HTTP/1.1\r\nHost: dctl\r\n');
  await fetch(`http://127.0.0.1:${plain!.port}/livez`);
  other.signal('SIGTERM');
  await other.said('stopping');
  socket.end('\r\n');
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
  expect(await other.ended).toBe(0);
});

function issue(name: string) {
  return authority.issue({ cert: `${name}.crt`, key: `${name}.key`, name: 'IP:127.0.0.1' });
}

/** Puts a pair where the links lead, at once. */
async function mount({ cert, key }: { cert: string; key: string }): Promise<void> {
  const version = cert.replace(/\.crt$/, '');
  await mkdir(version);
  await copyFile(cert, join(version, 'tls.crt'));
  await copyFile(key, join(version, 'tls.key'));
  await symlink(version, join(authority.folder, '..next'));
  await rename(join(authority.folder, '..next'), join(authority.folder, '..data'));
}

function warnings(): unknown[] {
  return system.api.lines.filter(({ msg }) => msg === warning).map(({ problem }) => problem);
}

function dial(options: ConnectionOptions = {}): TLSSocket {
  return connect({ host: '127.0.0.1', port: Number(new URL(system.tlsUrl).port), ca, ...options });
}

async function servedSerial(): Promise<string> {
  const socket = dial();
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

async function get(path: string, headers: RequestOptions['headers'] = {}, body?: unknown) {
  const method = body === undefined ? 'GET' : 'POST';
  const request = ask(system.tlsUrl + path, { ca, headers, method, agent: false });
  request.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await once(request, 'response');
  return {
    status: response.statusCode as number,
    cookie: String(response.headers['set-cookie']),
    text: await text(response),
  };
}
