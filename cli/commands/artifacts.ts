import { command } from '../command.ts';
import { findRun, runArgument } from '../find/run.ts';
import { runProjectOption } from '../options.ts';
import { formatBytes } from '../output/format.ts';
import { plain } from '../output/plain.ts';
import { wholeNumber } from '../values.ts';

export const stepOption = {
  about: 'only of this step, by its number',
  value: 'N',
  parse: wholeNumber(1, 1_000),
} as const;

export const artifacts = command({
  name: 'artifacts',
  summary: 'The artifacts of a run',
  arguments: { run: runArgument },
  options: { step: stepOption, project: runProjectOption },
  async run(shell, given) {
    const { id } = await findRun(shell, given.run, given.project);
    const query = given.step === undefined ? {} : { step: given.step };
    const { data } = await shell.client().call('listRunArtifacts', { path: { run_id: id }, query });
    const { out } = shell;
    const hasSteps = new Set(data.map(({ step }) => step)).size > 1;
    // No table, which would cut what somebody wants to copy.
    out.answer(data, () => {
      if (data.length === 0) out.say('The run has no artifacts.');
      for (const { path, size_bytes: size, step } of data)
        out.say(`${hasSteps ? `step ${step}` : ''}${formatBytes(size).padStart(10)}  ${plain(path)}`);
    });
  },
});
