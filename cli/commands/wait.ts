import { command } from '../command.ts';
import { findRun, runArgument } from '../find/run.ts';
import { waitOptions } from '../options.ts';
import { waitForEnd } from '../runs/wait.ts';

const { follow, cancelOnInterrupt } = waitOptions;

export const wait = command({
  name: 'wait',
  summary: 'Stay with a run until it has ended; the exit code says how',
  arguments: { run: runArgument },
  options: { follow: { ...follow, about: 'show the log as it is written' }, cancelOnInterrupt },
  async run(shell, given) {
    const { id } = await findRun(shell, given.run);
    return waitForEnd(shell, id, given);
  },
});
