import type pg from 'pg';
import type { Changes } from './changes.ts';
import type { Config } from './config.ts';
import type { Database } from './db.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Doorbell } from './queue.ts';
import type { Role, Scope } from './scopes.ts';
import type { Secrets } from './secrets.ts';
import type { Storage } from './storage/storage.ts';

/** What a process is made of. `main.ts` builds one; operations are handed it. */
export interface Context {
  config: Config;
  log: Log;
  metrics: Metrics;
  db: Database;
  pool: pg.Pool;
  doorbell: Doorbell;
  changes: Changes;
  secrets: Secrets;
  storage: Storage;
}

/** Who is asking, and what of which organization they may see and do. */
export interface Principal {
  organizationId: string;
  scope: Scope;
  actor: Actor;
}

/** `name`: the token's name, or the user's e-mail address. `system`: whoever has a shell on the server, or dctl itself. */
export interface Actor {
  kind: 'token' | 'user' | 'system';
  id: string | null;
  name: string;
  /** Where they ask from. Left out for `system`. */
  address?: string;
}

/** Whoever is known to the server, before it is settled which organization they ask about. */
export type Caller = { kind: 'token'; principal: Principal } | { kind: 'user'; user: SignedInUser };

export interface SignedInUser {
  id: string;
  email: string;
  isServerAdmin: boolean;
  sessionExpiresAt: Date;
  memberships: { organizationId: string; organizationName: string; role: Role }[];
}
