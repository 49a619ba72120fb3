import { randomBytes, randomUUID } from 'node:crypto';
import { createSecrets } from '../../src/secrets.ts';
import { newToken } from '../../src/tokens/token.ts';
import type { System } from './system.ts';

interface TokenOptions {
  organizationId?: string;
  scope?: 'read' | 'trigger' | 'admin';
  expiresAt?: Date;
  revokedAt?: Date;
}

/** A token written straight into the database: of the system's own organization, admin, good for ever unless told otherwise. */
export async function insertToken(system: System, options: TokenOptions = {}): Promise<string> {
  const token = newToken();
  const secrets = createSecrets(system.environment['DCTL_SECRET_KEY']!);
  await system.pool.query(
    `INSERT INTO api_tokens (id, organization_id, name, scope, hash, prefix, last_four, expires_at, revoked_at, key_id)
     VALUES ($1, $2, 'test', $3, $4, $5, $6, $7, $8, $9)`,
    [
      randomUUID(),
      options.organizationId ?? system.organizationId,
      options.scope ?? 'admin',
      secrets.fingerprint(token),
      token.slice(0, 12),
      token.slice(-4),
      options.expiresAt ?? null,
      options.revokedAt ?? null,
      secrets.keyId,
    ],
  );
  return token;
}

/** The same system seen by another organization's admin. */
export async function asAnotherOrganization(system: System): Promise<System> {
  const organizationId = `org-${randomUUID()}`;
  await system.pool.query('INSERT INTO organizations (id, name) VALUES ($1, $2)', [
    organizationId,
    `other-${randomBytes(4).toString('hex')}`,
  ]);
  const token = await insertToken(system, { organizationId });
  return withToken({ ...system, organizationId }, token);
}

/** The same system, called with another token. */
export function withToken(system: System, token: string): System {
  return {
    ...system,
    token,
    call: (method, path, body, headers = {}) =>
      system.call(method, path, body, { authorization: `Bearer ${token}`, ...headers }),
  };
}
