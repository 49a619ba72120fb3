// `npm run soak`: runs are asked for while everything they need is killed at random, then what became of them is counted.
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureDocker } from './setup/docker.ts';
import { ensureRunnerImage } from './setup/runner-image.ts';
import { soak } from './soak/soak.ts';

const usage = `Usage: npm run soak [-- --seconds N] [--seed N]

  --seconds  how long faults happen (600)
  --seed     of an earlier soak: the same faults in the same order`;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    help: { type: 'boolean', default: false },
  },
});
const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
if (values.help || !(seconds > 0) || !Number.isInteger(seed)) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => (interrupted.signal.aborted ? process.exit(1) : interrupted.abort()));
process.once('disconnect', () => interrupted.abort());
process.channel?.unref();

const say = (line: string) => console.log(line);
const docker = await ensureDocker({ log: say });
const runnerImage = await ensureRunnerImage({ log: say });
console.log(`seed ${seed}`);
const folder = join('.dctl', 'soak');
const { counts, ends, faults, violations } = await soak({
  seconds,
  seed,
  runnerImage,
  folder,
  say,
  signal: interrupted.signal,
}).finally(() => docker.stop());

for (const [title, numbers] of Object.entries({ Faults: faults, 'How runs ended': ends, Counts: counts })) {
  console.log(`\n${title}`);
  for (const [what, number] of Object.entries(numbers))
    console.log(`  ${String(number).padStart(6)}  ${what}`);
}
console.log(violations.length === 0 ? '\nNothing was lost, doubled or stuck.' : `\n${violations.join('\n')}`);
if (violations.length > 0) console.log(`\nThe logs are in ${join(folder, 'logs')}; seed ${seed}.`);
process.exitCode = violations.length === 0 ? 0 : 1;
