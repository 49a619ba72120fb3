import { readConfig } from './config.ts';
import { revealWebhookSecret } from './jobs/jobs.ts';
import { createLog } from './log.ts';
import { openContext } from './open-context.ts';

// For whoever runs the server: prints the signing secret of the job whose id is given.
const context = openContext(readConfig(process.env), createLog('setup', 'warn'));
try {
  const secret = await revealWebhookSecret(context, process.argv[2] ?? '');
  if (secret === null) {
    process.stderr.write('No webhook URL is set on this job, or there is no such job.\n');
    process.exitCode = 1;
  } else {
    process.stdout.write(`${secret}\n`);
  }
} finally {
  await context.close();
}
