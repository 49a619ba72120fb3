import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { globSync } from 'node:fs';
import { cp, mkdir, mkdtemp, open, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { freePort } from '../../scripts/setup/port.ts';
import { filledIn, readPage } from '../support/pages.ts';
import { onServer } from '../support/database.ts';
import { ended } from '../support/project.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { getJob, makeDue, runsOf } from '../support/schedules.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { missingLine, shownBlocks, type ShownBlock } from './page.ts';

const warehouse = `started_${randomBytes(4).toString('hex')}`;
const password = `it's "${randomBytes(8).toString('hex')}" $HOME \\`;

let system: System;
/** From where containers of runs are to the test's Postgres server. */
let line: Proxy;
let home: string;
/** What is on the page, with what is there in the place of its examples. */
let filled: string;
/** Process groups of the blocks: one leaves its receiver running. */
const groups: number[] = [];

beforeAll(async () => {
  system = await startSystem();
  await onServer(`CREATE ROLE ${warehouse} LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
  await onServer(`CREATE DATABASE ${warehouse} OWNER ${warehouse}`);
  const network = await system.docker.getNetwork('dctl-runs').inspect();
  const host = network.IPAM!.Config![0]!['Gateway']!;
  const server = new URL(process.env['DCTL_TEST_POSTGRES_URL']!);
  line = await startProxy({ host: server.hostname, port: Number(server.port) }, { host });

  home = await mkdtemp(join(tmpdir(), 'dctl-started-'));
  await cp('examples/jaffle_shop', join(home, 'my_project'), { recursive: true });
  await writeFile(join(home, 'token.txt'), `${system.token}\n`);
  await writeFile(join(home, 'password.txt'), `${password}\n`);
  // As npm link does.
  await mkdir(join(home, 'bin'));
  await symlink(join(process.cwd(), 'cli', 'dctl.mjs'), join(home, 'bin', 'dctl'));
  filled = filledIn(readPage('docs/getting-started.md'), {
    'http://127.0.0.1:3000': system.url,
    'host=db.example.com': `host=${host}`,
    'host: db.example.com': `host: ${host}`,
    '5432': line.port,
    'user=dbt': `user=${warehouse}`,
    'user: dbt': `user: ${warehouse}`,
    'dbname=shop': `dbname=${warehouse}`,
    'dbname: shop': `dbname: ${warehouse}`,
    '8000': await freePort(),
  });
});
afterAll(async () => {
  for (const group of groups)
    try {
      process.kill(-group);
    } catch {
      // It has ended by itself.
    }
  await system.stop();
  await line.close();
  await rm(home, { recursive: true, force: true });
  await onServer(`DROP DATABASE ${warehouse} WITH (FORCE)`);
  await onServer(`DROP ROLE ${warehouse}`);
});

test('every block of the page does what the page says, and at the end a scheduled run tells of itself', async () => {
  const blocks = shownBlocks(filled);
  expect(blocks.length).toBeGreaterThan(10);
  for (const block of blocks) await runBlock(block);

  expect(await readFile(join(home, 'seen/compiled/jaffle_shop/models/revenue.sql'), 'utf8')).toContain(
    'no_such_table',
  );
  const [{ revenue }] = await inWarehouse('SELECT revenue FROM analytics.revenue');
  expect(Number(revenue)).toBeGreaterThan(0);
  expect(await inWarehouse('SELECT revenue FROM staging.revenue')).toEqual([{ revenue }]);

  const { body: projects } = await system.call('GET', '/api/v1/projects');
  const [{ id: projectId, jobs }] = projects.data;
  const nightly = { projectId, jobId: jobs.find(({ name }: { name: string }) => name === 'nightly').id };
  expect((await getJob(system, nightly)).schedule).toMatchObject({ missed: 'run_once' });
  await makeDue(system, nightly);
  const [run] = await until(
    'the schedule makes a run',
    () => runsOf(system, nightly),
    ([newest]) => newest?.triggered_by === 'schedule',
  );
  expect(await ended(system, run.id)).toMatchObject({ status: 'success' });
  await untilAllIsSent();
  expect(await readFile(join(home, 'webhook.txt'), 'utf8')).toContain(run.id);
  const verify = blocks.find(({ commands }) => commands.includes('webhook verify'))!;
  await runBlock(verify);

  for (const folder of ['my_project', 'seen'])
    expect(await textBelow(join(home, folder))).not.toContain(password);
}, 400_000);

const folderFile = () => join(home, 'folder');

/** In a shell of its own, in the folder that the one before ended in. Throws where not all is as shown. */
async function runBlock({ commands, exitCode, output }: ShownBlock): Promise<void> {
  await untilAllIsSent();
  const folder = await readFile(folderFile(), 'utf8').catch(() => home);
  const printedTo = await open(join(home, 'printed'), 'w');
  const script = `set -e -o pipefail; trap 'printf %s "$PWD" > "$FOLDER_FILE"' EXIT\n${commands}`;
  const shell = spawn('bash', ['-c', script], {
    cwd: folder,
    detached: true,
    env: {
      HOME: home,
      FOLDER_FILE: folderFile(),
      PATH: [join(home, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter),
    },
    stdio: ['ignore', printedTo.fd, printedTo.fd],
  });
  groups.push(shell.pid!);
  const [code] = await once(shell, 'exit');
  await printedTo.close();
  const printed = await readFile(join(home, 'printed'), 'utf8');
  const missing = missingLine(output, printed);
  if (code !== exitCode || missing !== undefined)
    throw new Error(`${commands}\nended with ${code}, without the line\n${missing}\n\n${printed}`);
}

/** A reader is slower than a webhook. */
async function untilAllIsSent(): Promise<void> {
  await until(
    'no webhook is under way',
    () => system.pool.query(`SELECT 1 FROM deliveries WHERE state IN ('held', 'pending', 'sending')`),
    ({ rows }) => rows.length === 0,
  );
}

async function textBelow(folder: string): Promise<string> {
  const files = globSync(`${folder}/**/*`, { withFileTypes: true }).filter((each) => each.isFile());
  const texts = await Promise.all(files.map((each) => readFile(join(each.parentPath, each.name), 'utf8')));
  return texts.join('\n');
}

async function inWarehouse(sql: string): Promise<any[]> {
  const url = new URL(process.env['DCTL_TEST_POSTGRES_URL']!);
  url.pathname = `/${warehouse}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
