import { createApp } from './app.ts';
import { readConfig, unknownSettings } from './config.ts';
import { patiently } from './db.ts';
import { readCertificate } from './http/certificate.ts';
import { listen } from './http/listen.ts';
import { createLog } from './log.ts';
import { migrate } from './migrate.ts';
import { openContext } from './open-context.ts';
import { NoPort } from './port.ts';
import { giveUpLostRuns } from './runs/give-up-lost.ts';
import { repeat } from './turns.ts';

/** Postgres may take so long to come up, or to come back. */
const databaseStartMs = 60_000;

/** Of connections, once the last request was answered. */
const closingMs = 1_000;

const config = readConfig(process.env);
const log = createLog('api', config.DCTL_LOG_LEVEL);
for (const unknown of unknownSettings(process.env)) log.warn(unknown, 'this setting is not known');
const certificate = readCertificate(config);

// Whatever starts everything at once starts Postgres no earlier.
const applied = await patiently(() => migrate(config.DATABASE_URL), {
  forMs: databaseStartMs,
  onAway: (error) => log.warn({ error }, 'the database does not answer; waiting for it'),
});
if (applied.length > 0) log.info({ migrations: applied }, 'database migrated');

const context = openContext(config, log);
const server = await listen(context, createApp(context), certificate).catch((error: unknown) => {
  if (!(error instanceof NoPort)) throw error;
  log.error({ problem: error.message }, 'the server cannot listen');
  process.exit(1);
});
const { address, plain } = server;
const scheme = certificate === undefined ? 'http' : 'https';
log.info({ address, scheme, plain, queue: context.doorbell.carrier }, 'serving');

// Also while there is no worker: whoever waits for a run waits for its end.
const stop = new AbortController();
repeat(context, config.DCTL_SWEEP_SECONDS, () => giveUpLostRuns(context), stop.signal);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(1);
    stop.abort();
    log.info({ signal }, 'stopping');
    void server
      .close()
      .then(() => context.close())
      .then(() => process.exit(0));
    // Log followers stay as long as their run; they can come back to another process. And nothing is owed to a database or
    // a queue that is away.
    const drainMs = config.DCTL_DRAIN_SECONDS * 1_000;
    setTimeout(() => server.closeAllConnections(), drainMs).unref();
    setTimeout(() => process.exit(0), drainMs + closingMs).unref();
  });
}
