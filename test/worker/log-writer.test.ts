import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readLog } from '../../src/runs/logs.ts';
import { LeaseLost, LogWriter } from '../../worker/log-writer.ts';
import { createDatabase, insertJob, type TestDatabase } from '../support/database.ts';

const tailBytes = 64 * 1024;
const maxBytes = 200 * 1024;
const letGo = new AbortController().signal;
const saysCut = /\n\[dctl\] the log is longer than 0\.2 MiB: (\d+) bytes are left out here\n/;

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  await insertJob(database);
});
afterAll(() => database.drop());

describe('a log within its limit', () => {
  test('is stored as it came, in pieces of any size', async () => {
    const log = await openLog();
    const written = await writeAll(log.writer(), pieces(150 * 1024, 7_001));
    expect(await log.stored()).toEqual(written);
    expect(await log.row()).toEqual({ bytes: written.length, truncated: false });
  });

  test('is stored as it came up to the last byte of the limit', async () => {
    const log = await openLog();
    const written = await writeAll(log.writer(), pieces(maxBytes, 16 * 1024));
    expect(await log.stored()).toEqual(written);
    expect(await log.row()).toEqual({ bytes: maxBytes, truncated: false });
  });

  test('can be read by others after a flush', async () => {
    const log = await openLog();
    const writer = log.writer();
    await writer.write(Buffer.from('first\n'));
    await writer.flush();
    expect((await log.stored()).toString()).toBe('first\n');
  });

  test('that goes over by less than a tail is stored whole all the same', async () => {
    const log = await openLog();
    const written = await writeAll(log.writer(), pieces(maxBytes + tailBytes / 2, 9_973));
    expect(await log.stored()).toEqual(written);
    expect(await log.row()).toMatchObject({ truncated: false });
  });
});

describe('a log far over its limit', () => {
  test('keeps its beginning and its end, and says how much is missing between', async () => {
    const log = await openLog();
    const written = await writeAll(log.writer(), pieces(2_000_000, 16 * 1024));
    const stored = await log.stored();
    const [message, missing] = saysCut.exec(stored.toString('latin1'))!;
    const cutAt = stored.indexOf(message);
    const tail = stored.subarray(cutAt + message.length);

    expect(stored.subarray(0, cutAt)).toEqual(written.subarray(0, maxBytes));
    expect(tail).toEqual(written.subarray(written.length - tail.length));
    expect(tail.length).toBe(tailBytes);
    expect(cutAt + Number(missing) + tail.length).toBe(written.length);
    expect(await log.row()).toEqual({ bytes: stored.length, truncated: true });
    expect(stored.length).toBeLessThan(maxBytes + tailBytes + 200);
  });

  test.each([1, 2, 3, 4, 16_384])(
    'has no broken character, in pieces of %d bytes and at any limit',
    async (pieceBytes) => {
      const text = Buffer.from('aé✓🙂'.repeat(9_000));
      for (const limit of [1_000, 1_001, 1_002, 1_003, 1_024, 16_384, 16_386]) {
        const log = await openLog();
        const writer = log.writer({ maxBytes: limit });
        for (let start = 0; start < text.length; start += pieceBytes) {
          await writer.write(text.subarray(start, start + pieceBytes));
        }
        await writer.close();
        expect((await log.stored()).toString()).not.toContain('\ufffd');
        expect(await log.row()).toMatchObject({ truncated: true });
      }
    },
  );
});

describe('a worker that takes a run over', () => {
  test('goes on where the stored log ends, and cuts at the same limit', async () => {
    const log = await openLog();
    const written = pieces(400 * 1024, 16 * 1024);
    const first = log.writer();
    for (const piece of written.slice(0, 5)) await first.write(piece);
    await first.flush();

    const all = Buffer.concat(written);
    const { bytes } = await log.row();
    const second = log.writer({ storedBytes: bytes });
    await second.write(all.subarray(bytes));
    await second.close();
    const stored = await log.stored();
    expect(stored.indexOf('\n[dctl]')).toBe(maxBytes);
    expect(stored.subarray(0, maxBytes).equals(all.subarray(0, maxBytes))).toBe(true);
  });

  test('does not store the end of a cut log a second time', async () => {
    const log = await openLog();
    await writeAll(log.writer(), pieces(500 * 1024, 16 * 1024));
    const [stored, { bytes, truncated }] = [await log.stored(), await log.row()];

    const second = log.writer({ storedBytes: bytes, isClosed: truncated });
    await writeAll(second, pieces(500 * 1024, 16 * 1024).slice(20));
    expect(await log.stored()).toEqual(stored);
  });

  test('stops the one before it, which can store nothing more', async () => {
    const log = await openLog();
    const first = log.writer();
    await first.write(Buffer.from('mine\n'));
    await first.flush();
    await database.pool.query("UPDATE runs SET lease_token = 'of another worker' WHERE id = $1", [log.runId]);

    await first.write(Buffer.from('late\n'));
    await expect(first.flush()).rejects.toThrow(LeaseLost);
    await expect(first.close()).rejects.toThrow(LeaseLost);
    expect((await log.stored()).toString()).toBe('mine\n');
  });
});

/** The log of a run of its own. */
async function openLog() {
  const lease = { runId: randomUUID(), token: randomUUID() };
  await database.pool.query(
    `INSERT INTO runs (id, organization_id, project_id, job_id, deployment_id, environment_id, name, command, triggered_by, settings,
       status, lease_token) VALUES ($1, 'org-1', 'p', 'j', 'd', 'e', 'n', 'dbt build', 'manual', '{}', 'running', $2)`,
    [lease.runId, lease.token],
  );
  return {
    runId: lease.runId,
    writer: (options: { storedBytes?: number; maxBytes?: number; isClosed?: boolean } = {}) =>
      new LogWriter(database, lease, { storedBytes: 0, maxBytes, isClosed: false, letGo, ...options }),
    async stored() {
      const read: Buffer[] = [];
      for (let from = 0; ;) {
        const piece = await readLog(database, lease.runId, from);
        if (piece.length === 0) return Buffer.concat(read);
        from += piece.length;
        read.push(piece);
      }
    },
    async row() {
      const { rows } = await database.pool.query('SELECT log_bytes, log_truncated FROM runs WHERE id = $1', [
        lease.runId,
      ]);
      return { bytes: Number(rows[0].log_bytes), truncated: rows[0].log_truncated as boolean };
    },
  };
}

async function writeAll(writer: LogWriter, written: Buffer[]): Promise<Buffer> {
  for (const piece of written) await writer.write(piece);
  await writer.close();
  return Buffer.concat(written);
}

/** Text of so many bytes in which no part repeats, cut into pieces. */
function pieces(bytes: number, pieceBytes: number): Buffer[] {
  const text = Buffer.from(
    Array.from({ length: bytes / 8 + 1 }, (_, index) => `${index}`.padStart(7, '0')).join('\n'),
  );
  return Array.from({ length: Math.ceil(bytes / pieceBytes) }, (_, index) =>
    text.subarray(index * pieceBytes, Math.min(bytes, (index + 1) * pieceBytes)),
  );
}
