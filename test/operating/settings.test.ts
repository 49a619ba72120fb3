import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readConfig, sections, unknownSettings } from '../../src/config.ts';

const key = Buffer.alloc(32, 7).toString('base64');
const right = {
  DATABASE_URL: 'postgres://dctl:word-4471@db/dctl',
  DCTL_SECRET_KEY: key,
  DCTL_STORAGE_DIR: '/srv/dctl',
};
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dctl-settings-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

function messageOf(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('these settings were taken');
}

test('what is required is enough', () => {
  expect(readConfig(right)).toMatchObject({ ...right, DCTL_PORT: 3000 });
});

test('a setting may stand in a file, whose last line break does not count', async () => {
  const { DCTL_SECRET_KEY: _, ...others } = right;
  const given = { ...others, DCTL_SECRET_KEY_FILE: await file('key', `${key}\n`) };
  expect(readConfig(given)).toMatchObject(right);
  expect(unknownSettings(given)).toEqual([]);
});

test('every problem of every setting is in one message, by name and without a value', async () => {
  const secret = 'planted-value-9163';
  const message = messageOf({
    DATABASE_URL: `mysql://${secret}`,
    REDIS_URL: `http://${secret}`,
    DCTL_SECRET_KEY: secret,
    DCTL_PORT: '70000',
    DCTL_LEASE_SECONDS: '-1',
    DCTL_MAX_BODY_BYTES: 'planted-value-much',
    DCTL_LOG_LEVEL: secret,
    DCTL_WEBHOOK_ALLOW_CIDRS: `10.0.0.0/8, ${secret}`,
    DCTL_METRICS_TOKEN: 'planted-value',
    DCTL_HOST: 'planted-value-host',
    DCTL_HOST_FILE: await file('host', secret),
    DCTL_RUNNER_IMAGE_FILE: await file('empty', '\n'),
    DCTL_RUN_NETWORK_FILE: join(folder, 'planted-value-missing'),
  });
  expect(
    message
      .split('\n')
      .map((line) => line.trim())
      .toSorted(),
  ).toEqual([
    'DATABASE_URL: write a postgres:// address',
    'DCTL_HOST: is given twice: remove DCTL_HOST or DCTL_HOST_FILE',
    'DCTL_LEASE_SECONDS: write a number above 0',
    'DCTL_LOG_LEVEL: write debug, info, warn or error',
    'DCTL_MAX_BODY_BYTES: write a whole number',
    'DCTL_METRICS_TOKEN: write at least 16 characters',
    'DCTL_PORT: write a port number',
    'DCTL_RUNNER_IMAGE: the file that DCTL_RUNNER_IMAGE_FILE names is empty',
    'DCTL_RUN_NETWORK: the file that DCTL_RUN_NETWORK_FILE names cannot be read (ENOENT)',
    'DCTL_SECRET_KEY: write 32 random bytes in base64',
    'DCTL_STORAGE_DIR: is required',
    'DCTL_WEBHOOK_ALLOW_CIDRS: entry 2 is not a range of addresses: write it like 10.0.0.0/8 or fd12::/16.',
    'REDIS_URL: write a redis:// address',
    'These settings are not right:',
  ]);
  expect(message).not.toContain('planted');
});

test('a certificate comes with its key and as files, and a plain port beside https alone', () => {
  const pem = '-----BEGIN CERTIFICATE-----';
  const problemsWith = (more: Record<string, string>) =>
    messageOf({ ...right, ...more })
      .split('\n  ')
      .slice(1);
  expect(problemsWith({ DCTL_TLS_CERT: '/tls.crt' })).toEqual([
    'DCTL_TLS_KEY: is required beside DCTL_TLS_CERT',
  ]);
  expect(problemsWith({ DCTL_TLS_KEY: '/tls.key', DCTL_PORT: '443', DCTL_PLAIN_PORT: '443' })).toEqual([
    'DCTL_TLS_CERT: is required beside DCTL_TLS_KEY',
    'DCTL_PLAIN_PORT: write another port than that of DCTL_PORT',
  ]);
  expect(problemsWith({ DCTL_TLS_CERT: pem, DCTL_TLS_KEY: '/tls.key' })).toEqual([
    'DCTL_TLS_CERT: write the path of a PEM file, not what it holds',
  ]);
  expect(problemsWith({ DCTL_PLAIN_PORT: '8080' })).toEqual([
    'DCTL_PLAIN_PORT: is for a server with DCTL_TLS_CERT: without it, DCTL_PORT speaks http',
  ]);
});

test('a variable that looks like a setting and is none is named, with the one it probably was to be', () => {
  expect(
    unknownSettings({
      ...right,
      DCTL_LEASE_SECOND: '3',
      DCTL_RUNS_MEMORY_MB_FILE: '/x',
      DCTL_XYZ: '1',
      PATH: '/bin',
    }),
  ).toEqual([
    { setting: 'DCTL_LEASE_SECOND', nearest: 'DCTL_LEASE_SECONDS' },
    { setting: 'DCTL_RUNS_MEMORY_MB_FILE', nearest: 'DCTL_RUN_MEMORY_MB' },
    { setting: 'DCTL_XYZ', nearest: undefined },
  ]);
});

test('every setting says what it is', () => {
  for (const settings of Object.values(sections)) {
    for (const [name, schema] of Object.entries(settings)) {
      expect([name, schema.meta()?.description]).toEqual([name, expect.stringMatching(/\w/)]);
    }
  }
});
