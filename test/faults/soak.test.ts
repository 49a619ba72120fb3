import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { soak } from '../../scripts/soak/soak.ts';

// With what begins and ends it, no more than 90 s.
const seconds = 45;

test('whatever dies while runs are asked for: none is lost, doubled or stuck, and each is told of once', async () => {
  const seed = Number(process.env['DCTL_SOAK_SEED'] ?? Date.now() % 2 ** 31);
  const said: string[] = [`seed ${seed}`];
  const runnerImage = process.env['DCTL_TEST_RUNNER_IMAGE']!;
  const folder = join('.dctl', 'test', 'soak');
  const report = await soak({ seconds, seed, runnerImage, folder, say: (line) => said.push(line) });

  const { counts, ends, faults, violations } = report;
  console.info(JSON.stringify({ seed, faults, ends, counts }, null, 1));
  if (violations.length > 0) console.info(said.join('\n'));
  expect(violations).toEqual([]);
  // Else it shows nothing.
  expect(counts['triggers that were accepted']).toBeGreaterThan(20);
  expect(counts['taken over from another worker']).toBeGreaterThan(0);
}, 240_000);
