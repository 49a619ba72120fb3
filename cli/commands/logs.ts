import { followLog } from '../../client/index.ts';
import { command } from '../command.ts';
import { findRun, runArgument } from '../find/run.ts';
import { runProjectOption } from '../options.ts';
import { plainLogLine } from '../output/plain.ts';
import { wholeNumber } from '../values.ts';

export const logs = command({
  name: 'logs',
  summary: 'The log of a run',
  details: 'With --json each line is {"line": ...}.',
  arguments: { run: runArgument },
  options: {
    follow: { about: 'keep showing the log until the run has ended', short: 'f' },
    step: { about: 'only of this step, by its number', value: 'N', parse: wholeNumber(1, 1_000) },
    project: runProjectOption,
  },
  async run(shell, given) {
    const { out, signal } = shell;
    const client = shell.client();
    const { id } = await findRun(shell, given.run, given.project);
    const step = given.step === undefined ? {} : { step: given.step };
    const say = (line: string) => {
      if (out.isJson) out.sayJsonLine({ line });
      else out.say(out.isTerminal ? plainLogLine(line) : line);
    };
    if (given.follow) {
      for await (const lines of followLog(client, id, { ...step, signal })) lines.forEach(say);
      return;
    }
    const { body } = await client.open('getRunLog', { path: { run_id: id }, query: step });
    if (body === null) return;
    if (!out.isJson && !out.isTerminal) {
      for await (const bytes of body as AsyncIterable<Uint8Array>) await out.write(bytes);
      return;
    }
    let unfinished = '';
    const decoder = new TextDecoder();
    for await (const bytes of body as AsyncIterable<Uint8Array>) {
      const lines = (unfinished + decoder.decode(bytes, { stream: true })).split('\n');
      unfinished = lines.pop() ?? '';
      lines.forEach(say);
    }
    if (unfinished !== '') say(unfinished);
  },
});
