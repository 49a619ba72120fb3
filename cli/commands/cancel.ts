import { command } from '../command.ts';
import { findRun, runArgument } from '../find/run.ts';
import { plain } from '../output/plain.ts';
import { statusOf } from '../runs/describe-run.ts';
import { waitForEnd } from '../runs/wait.ts';
import { isFinal } from '../../client/index.ts';

export const cancel = command({
  name: 'cancel',
  summary: 'End a run that waits or executes',
  arguments: { run: runArgument },
  options: { wait: { about: 'stay until it has ended; the exit code says how', short: 'w' } },
  async run(shell, given) {
    const { id } = await findRun(shell, given.run);
    const run = await shell.client().call('cancelRun', { path: { run_id: id } });
    if (given.wait) return waitForEnd(shell, id, { follow: false, cancelOnInterrupt: false });
    shell.out.answer(run, () =>
      shell.out.say(`${plain(run.name)}: ${isFinal(run) ? statusOf(run) : 'it is being ended'}`),
    );
  },
});
