import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { onServer, serverUrl } from './database.ts';
import { startProcess } from './process.ts';

const variable = 'DCTL_TEST_FIRST_START';

/** What every System begins with: a database to copy as the first start leaves it, and what that printed. */
export interface FirstStart {
  template: string;
  secretKey: string;
  organizationId: string;
  token: string;
}

/** Once before all tests, so that none waits for it. `migrated`: the database to begin with. */
export async function startFirst(migrated: string): Promise<FirstStart> {
  const template = `${migrated}_started`;
  await onServer(`CREATE DATABASE ${template} TEMPLATE ${migrated}`);
  const secretKey = randomBytes(32).toString('base64');
  const bootstrap = startProcess('dist/src/bootstrap.js', {
    DATABASE_URL: serverUrl(template),
    DCTL_SECRET_KEY: secretKey,
    DCTL_STORAGE_DIR: join('.dctl', 'test'),
  });
  await bootstrap.ended;
  const made = bootstrap.lines[0] as { organization_id: string; token: string } | undefined;
  if (made === undefined) throw new Error('the bootstrap printed nothing');
  const first = { template, secretKey, organizationId: made.organization_id, token: made.token };
  process.env[variable] = JSON.stringify(first);
  return first;
}

export function firstStart(): FirstStart {
  const told = process.env[variable];
  if (told === undefined) throw new Error('the set-up of the tests made no first start');
  return JSON.parse(told) as FirstStart;
}
