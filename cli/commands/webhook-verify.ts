import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { verifyWebhook } from '../../client/index.ts';
import { command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { findJob } from '../find/job.ts';
import { projectOption } from '../options.ts';
import { plain } from '../output/plain.ts';
import type { Shell } from '../shell.ts';
import { jobs } from '../completion/names.ts';
import { seconds } from '../values.ts';

export const webhookVerify = command({
  name: 'webhook verify',
  summary: 'Check the signature of a webhook on stdin; exit code 0 when it is valid, 1 when not',
  details:
    'On stdin is the body as it arrived, with the headers given by --header; or, without any, the headers, an empty line and the body. The secret is $DCTL_WEBHOOK_SECRET, in a file, or that of a job (recorded in the audit log).',
  examples: [
    'dctl webhook verify -H "X-Dagctl-Signature: sha256=..." --secret-file secret.txt < body.json',
    'DCTL_WEBHOOK_SECRET=whsec_... dctl webhook verify < request.txt',
  ],
  options: {
    header: { about: 'a header of the webhook', value: '"NAME: VALUE"', many: true, short: 'H' },
    secretFile: { about: 'the file with the secret', value: 'FILE' },
    job: {
      about: 'the job whose webhook it is: the server is asked for its secret',
      value: 'JOB',
      completes: jobs,
    },
    tolerance: { about: 'maximum age: 300, 1h', value: 'TIME', parse: seconds },
    project: projectOption,
  },
  async run(shell, given) {
    const { out } = shell;
    const secret = await secretFrom(shell, given);
    if (shell.input.isTTY)
      throw new UsageError('Send the webhook to stdin: dctl webhook verify ... < body.json');
    const received = await buffer(shell.input);
    const { headers, body } =
      given.header.length > 0 ? { headers: headersFrom(given.header), body: received } : split(received);
    const options = given.tolerance === undefined ? {} : { toleranceSeconds: given.tolerance };
    const verdict = await verifyWebhook(new Uint8Array(body), headers, secret, options);
    out.answer(verdict, () => {
      if (!verdict.isGenuine) return out.say(`${out.paint('red', 'Not genuine')}: ${plain(verdict.why)}.`);
      const { event, sentAt } = verdict;
      const when = sentAt === null ? 'its time is not signed' : `sent ${sentAt.toISOString()}`;
      out.say(`${out.paint('green', 'Genuine')}: ${plain(event ?? 'a webhook')}, ${when}.`);
    });
    return verdict.isGenuine ? exitCodes.success : exitCodes.failed;
  },
});

async function secretFrom(
  shell: Shell,
  {
    job,
    project,
    secretFile,
  }: { job?: string | undefined; project?: string | undefined; secretFile?: string | undefined },
): Promise<string> {
  if (secretFile !== undefined) return (await readFile(resolve(shell.folder, secretFile), 'utf8')).trim();
  if (job !== undefined) {
    const { path } = await findJob(shell, job, project);
    return (await shell.client().call('revealWebhookSecret', { path })).webhook_secret;
  }
  const given = shell.environment['DCTL_WEBHOOK_SECRET']?.trim();
  if (given) return given;
  throw new UsageError('Give the secret: set DCTL_WEBHOOK_SECRET, or use --secret-file or --job.');
}

/** A request as it came over the wire: perhaps its first line, then headers, an empty line, the body. */
function split(received: Buffer): { headers: Record<string, string>; body: Buffer } {
  for (const end of ['\r\n\r\n', '\n\n']) {
    const at = received.indexOf(end);
    if (at === -1) continue;
    const lines = received.subarray(0, at).toString('utf8').split(/\r?\n/);
    const isHeader = (line: string) => /^[\w-]+:\s/.test(line);
    const headers = isHeader(lines[0]!) ? lines : lines.slice(1);
    if (headers.length > 0 && headers.every(isHeader))
      return { headers: headersFrom(headers), body: received.subarray(at + end.length) };
  }
  throw new UsageError('Give the headers of the webhook, with --header or on stdin before the body.');
}

function headersFrom(lines: string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(':');
      if (at < 1) throw new UsageError(`Write a header as "Name: value", not ${line}.`);
      return [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()];
    }),
  );
}
