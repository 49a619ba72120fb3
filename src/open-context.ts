import { listenForChanges } from './changes.ts';
import type { Config } from './config.ts';
import type { Context } from './context.ts';
import { connectDatabase } from './db.ts';
import type { Log } from './log.ts';
import { createMetrics } from './metrics.ts';
import { openDoorbell } from './queue.ts';
import { createSecrets } from './secrets.ts';
import { openStorage } from './storage/storage.ts';

/** Opens everything a process works with. `close` ends it in the reverse order. */
export function openContext(config: Config, log: Log): Context & { close(): Promise<void> } {
  const { db, pool, close } = connectDatabase(config.DATABASE_URL, {
    maxConnections: config.DCTL_DATABASE_CONNECTIONS,
    onError: (error) => log.warn({ error }, 'an idle database connection broke'),
  });
  const doorbell = openDoorbell(config, log);
  const changes = listenForChanges(config.DATABASE_URL, log);
  return {
    config,
    log,
    metrics: createMetrics(),
    db,
    pool,
    doorbell,
    changes,
    secrets: createSecrets(config.DCTL_SECRET_KEY, config.DCTL_OLD_SECRET_KEYS),
    storage: openStorage(config.DCTL_STORAGE_DIR),
    async close() {
      await Promise.allSettled([doorbell.close(), changes.close()]);
      await close();
    },
  };
}
