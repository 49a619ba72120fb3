import { command } from '../command.ts';
import { findRun, runArgument } from '../find/run.ts';
import { runProjectOption } from '../options.ts';
import { plain } from '../output/plain.ts';
import { statusOf } from '../runs/describe-run.ts';
import { waitForEnd } from '../runs/wait.ts';
import { isFinal } from '../../client/index.ts';

export const cancel = command({
  name: 'cancel',
  summary: 'Cancel a queued or running run',
  arguments: { run: runArgument },
  options: {
    wait: { about: 'wait for it to end; the exit code is its result', short: 'w' },
    project: runProjectOption,
  },
  async run(shell, given) {
    const { id } = await findRun(shell, given.run, given.project);
    const run = await shell.client().call('cancelRun', { path: { run_id: id } });
    if (given.wait) return waitForEnd(shell, id, { follow: false, cancelOnInterrupt: false });
    shell.out.answer(run, () =>
      shell.out.say(`${plain(run.name)}: ${isFinal(run) ? statusOf(run) : 'it is being cancelled'}`),
    );
  },
});
