import type pg from 'pg';
import type { Changes } from './changes.ts';
import type { Config } from './config.ts';
import type { Database } from './db.ts';
import type { Log } from './log.ts';
import type { Doorbell } from './queue.ts';
import type { Secrets } from './secrets.ts';
import type { Storage } from './storage/storage.ts';

/** What a process is made of. `main.ts` builds one; operations are handed it. */
export interface Context {
  config: Config;
  log: Log;
  db: Database;
  pool: pg.Pool;
  doorbell: Doorbell;
  changes: Changes;
  secrets: Secrets;
  storage: Storage;
}

/** Who is asking: the API token of a request, and the organization it belongs to. */
export interface Principal {
  organizationId: string;
  tokenId: string;
  tokenName: string;
  scope: Scope;
}

export const scopes = ['read', 'trigger', 'admin'] as const;
export type Scope = (typeof scopes)[number];
