import { expect, test } from '@jest/globals';
import { sparesManifest } from '../../worker/prepared-run.ts';

const fitting = { isExact: true, hasManifest: true, parsedWith: 'these' };
const run = (argv: string[], retryFrom: { runId: string; step: number } | null = null) => ({
  steps: [{ command: `dbt ${argv.join(' ')}`, argv }],
  retryFrom,
});

test.each([['build'], ['run', '--select', 'orders'], ['test', '--vars', '{a: 1}'], ['seed'], ['snapshot']])(
  'a prepared manifest stands for the one that dbt %s %s %s would write',
  (...argv) => {
    expect(sparesManifest(run(argv), 'these', fitting)).toBe(true);
  },
);

test.each([
  ['there is none', run(['build']), 'these', null],
  ['it was made with something else', run(['build']), 'those', fitting],
  ['nobody knows with what the run is parsed', run(['build']), null, { ...fitting, parsedWith: null }],
  ['it was made for other options', run(['build']), 'these', { ...fitting, isExact: false }],
  ['it is not kept', run(['build']), 'these', { ...fitting, hasManifest: false }],
  ['the command is there to write it', run(['compile']), 'these', fitting],
  ['nobody knows what an option does to it', run(['build', '--state', 'x']), 'these', fitting],
  ['the run retries another', run(['retry'], { runId: 'earlier', step: 1 }), 'these', fitting],
])('a prepared manifest does not stand for the own one when %s', (_, settings, parsedWith, prepared) => {
  expect(sparesManifest(settings, parsedWith, prepared)).toBe(false);
});
