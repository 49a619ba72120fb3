import { parseArgs } from 'node:util';
import { readConfig } from './config.ts';
import { createLog } from './log.ts';
import { migrate } from './migrate.ts';
import { openContext } from './open-context.ts';
import { setUp } from './organizations/set-up.ts';

// Run once by whoever starts dctl: migrates, makes what the first start needs, and prints it as one JSON line.
// `--url`: where browsers find the server; it then prints a link with which the first admin makes an account.
const { values } = parseArgs({
  options: { 'new-token': { type: 'boolean', default: false }, url: { type: 'string' } },
});
const config = readConfig(process.env);
await migrate(config.DATABASE_URL);
const context = openContext(config, createLog('setup', 'warn'));
try {
  const serverUrl = values.url ?? config.DCTL_PUBLIC_URL;
  const made = await setUp(context, { newToken: values['new-token'], serverUrl });
  const answer = {
    organization_id: made.organizationId,
    organization_name: made.organizationName,
    admin_email: made.adminEmail,
    admin_password: made.adminPassword,
    invitation_url: made.invitationUrl,
    token: made.token,
  };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
} finally {
  await context.close();
}
