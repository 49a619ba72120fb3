import { command } from '../command.ts';
import { findRun, runArgument } from '../find/run.ts';
import { runProjectOption, waitOptions } from '../options.ts';
import { waitForEnd } from '../runs/wait.ts';

const { follow, cancelOnInterrupt } = waitOptions;

export const wait = command({
  name: 'wait',
  summary: 'Wait for a run to end; the exit code is its result',
  arguments: { run: runArgument },
  options: {
    follow: { ...follow, about: 'show the log as it is written' },
    cancelOnInterrupt,
    project: runProjectOption,
  },
  async run(shell, given) {
    const { id } = await findRun(shell, given.run, given.project);
    return waitForEnd(shell, id, given);
  },
});
