import { once } from 'node:events';
import { createServer } from 'node:http';
import { createApp } from './app.ts';
import { readConfig, unknownSettings } from './config.ts';
import { createLog } from './log.ts';
import { migrate } from './migrate.ts';
import { openContext } from './open-context.ts';

const config = readConfig(process.env);
const log = createLog('api', config.DCTL_LOG_LEVEL);
for (const unknown of unknownSettings(process.env)) log.warn(unknown, 'this setting is not known');

const applied = await migrate(config.DATABASE_URL);
if (applied.length > 0) log.info({ migrations: applied }, 'database migrated');

const context = openContext(config, log);
const server = createServer(createApp(context));
// A large deployment over a slow line takes its time; a client that pools connections meets none that just closed.
server.requestTimeout = 30 * 60_000;
server.keepAliveTimeout = 65_000;
server.listen(config.DCTL_PORT, config.DCTL_HOST);
await once(server, 'listening');
log.info({ address: server.address(), queue: context.doorbell.carrier }, 'serving');

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'stopping');
    server.close(() => void context.close().then(() => process.exit(0)));
    server.closeIdleConnections();
    // Log followers stay as long as their run; they can come back to another process.
    setTimeout(() => server.closeAllConnections(), config.DCTL_DRAIN_SECONDS * 1_000).unref();
  });
}
