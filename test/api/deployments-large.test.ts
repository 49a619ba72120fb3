import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { smallProject } from '../support/archive.ts';
import { deployProject } from '../support/project.ts';
import { rawEntry } from '../support/raw-tar.ts';
import { startSystem, type System } from '../support/system.ts';

const mebibyte = 1024 * 1024;
const mostGrowthMb = 80;

let system: System;
let path: string;

beforeAll(async () => {
  system = await startSystem({
    workers: 0,
    environment: { DCTL_MAX_UNPACKED_BYTES: String(256 * mebibyte) },
  });
  const { projectId } = await deployProject(system);
  path = `/api/v1/projects/${projectId}/deployments`;
});
afterAll(() => system.stop());

test('a deployment of 200 MB passes through while the memory of the API stays flat', async () => {
  function* contents() {
    const piece = randomBytes(mebibyte);
    yield* projectEntries();
    yield rawEntry({ name: 'seeds/big.csv', size: 200 * mebibyte });
    for (let count = 0; count < 200; count += 1) {
      // No two pieces the same, at the price of one.
      piece.writeUInt32LE(count, 0);
      yield Buffer.from(piece);
    }
    yield Buffer.alloc(1_024);
  }
  const { status, body, growthMb } = await upload(contents(), { level: 0 });
  expect(status).toBe(201);
  const { body: deployment } = await system.call('GET', `${path}/${body.id}`);
  expect(deployment).toMatchObject({ file_count: 3, is_current: true });
  expect(deployment.size_bytes).toBeGreaterThan(200 * mebibyte);
  expect(growthMb).toBeLessThan(mostGrowthMb);
});

test('an archive of 100 000 files is refused while the memory of the API stays flat', async () => {
  function* contents() {
    yield* projectEntries();
    for (let batch = 0; batch < 100; batch += 1) {
      const names = Array.from({ length: 1_000 }, (_, index) => `models/m${batch * 1_000 + index}.sql`);
      yield Buffer.concat(names.map((name) => rawEntry({ name, content: 'select 1' })));
    }
    yield Buffer.alloc(1_024);
  }
  const { status, body, growthMb } = await upload(contents(), { level: 1 });
  expect({ status, body }).toMatchObject({
    status: 400,
    body: { detail: expect.stringContaining('more than 50000 files') },
  });
  expect(growthMb).toBeLessThan(mostGrowthMb);
});

test('an archive that unpacks to a thousand times its size is refused while the memory of the API stays flat', async () => {
  function* contents() {
    yield* projectEntries();
    yield rawEntry({ name: 'seeds/zeros.csv', size: 2_000 * mebibyte });
    for (let count = 0; count < 260; count += 1) yield Buffer.alloc(mebibyte);
  }
  const { status, body, growthMb } = await upload(contents(), { level: 1 });
  expect({ status, body }).toMatchObject({
    status: 413,
    body: { detail: expect.stringContaining('more than 256 MiB') },
  });
  expect(growthMb).toBeLessThan(mostGrowthMb);
});

function projectEntries(): Buffer[] {
  return smallProject.map(({ name, content = '' }) => rawEntry({ name, content }));
}

/** Sends an archive while it is made, and watches how much memory the API takes meanwhile. */
async function upload(contents: Iterable<Buffer>, gzip: { level: number }) {
  const before = await memoryMb();
  let most = before;
  const watching = setInterval(async () => {
    most = Math.max(most, await memoryMb());
  }, 20);
  try {
    const { port } = new URL(system.url);
    const headers = { authorization: `Bearer ${system.token}`, 'content-type': 'application/gzip' };
    const sent = request({ port, method: 'POST', path, headers });
    const answered = new Promise<{ status: number; body: any }>((resolve, reject) => {
      sent.on('error', reject).on('response', (response) => {
        json(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      });
    });
    await pipeline(Readable.from(contents), createGzip(gzip), sent);
    return { ...(await answered), growthMb: most - before };
  } finally {
    clearInterval(watching);
  }
}

async function memoryMb(): Promise<number> {
  const status = await readFile(`/proc/${system.api.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
