import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

// `npm test`: every test, or those whose files are named. The set-up (test/support/global-setup.ts) starts what they need.
// DCTL_TEST_QUEUE=redis: with the queue in Redis.
const queue = process.env['DCTL_TEST_QUEUE'] ?? 'postgres';
if (!['postgres', 'redis'].includes(queue)) throw new Error('Set DCTL_TEST_QUEUE to postgres or redis.');
const results = join('.dctl', 'test', `results-${queue}.json`);
mkdirSync(join('.dctl', 'test'), { recursive: true });

const jest = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join('node_modules', 'jest', 'bin', 'jest.js'),
    '--json',
    `--outputFile=${results}`,
    ...process.argv.slice(2),
  ],
  // The JSON also goes to stdout, where nobody reads it: what people read is on stderr.
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
const [exitCode] = (await once(jest, 'close')) as [number | null];
process.exitCode = exitCode ?? 1;
