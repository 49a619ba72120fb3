import { readConfig, unknownSettings } from '../src/config.ts';
import { createLog, withLogFields } from '../src/log.ts';
import { openContext } from '../src/open-context.ts';
import { NoPort } from '../src/port.ts';
import { answerDoorbell } from '../src/queue.ts';
import { AirflowTokens } from './airflow-tokens.ts';
import { deliverWebhook } from './deliver-webhook.ts';
import { dockerExecutor } from './executors/docker.ts';
import { prepareDeployment } from './prepare-deployment.ts';
import { processRun } from './process-run.ts';
import { serveMetrics } from './serve-metrics.ts';
import { readShimTar } from './shim-tar.ts';
import { answerSchedule } from './sweep-schedules.ts';
import { sweepRegularly } from './sweep.ts';
import { lookRegularly, WarmPool } from './warm-pool.ts';

/** Many: one that waits for a slow receiver costs little, and must not keep the others waiting. */
const deliveriesAtOnce = 500;
/** Few: each is a short transaction. */
const schedulesAtOnce = 4;
/** One: it is the processors that it takes, and runs need them. */
const preparationsAtOnce = 1;

const config = readConfig(process.env);
const log = createLog('worker', config.DCTL_LOG_LEVEL).child({ worker: config.DCTL_WORKER_NAME });
for (const unknown of unknownSettings(process.env)) log.warn(unknown, 'this setting is not known');
const context = { ...openContext(config, log), log };
const executor = dockerExecutor({ network: config.DCTL_RUN_NETWORK, runtime: config.DCTL_RUNNER_RUNTIME });
await executor.prepare().catch((error: unknown) => log.error({ error }, 'the Docker engine does not answer'));

const stop = new AbortController();
const shimTar = await readShimTar();
const warm = new WarmPool({ context, executor, shimTar });
const workplace = {
  context,
  executor,
  shimTar,
  warm,
  stopping: stop.signal,
  atWork: new Set<string>(),
  settling: new Set<Promise<void>>(),
};
const tokens = new AirflowTokens();
const doorbell = answerDoorbell(config, log, {
  run: { handle: (id) => processRun(workplace, id), concurrency: config.DCTL_WORKER_CONCURRENCY },
  delivery: {
    handle: (id) => withLogFields({ delivery: id }, () => deliverWebhook(context, tokens, id)),
    concurrency: deliveriesAtOnce,
  },
  schedule: { handle: (id) => answerSchedule(context, id), concurrency: schedulesAtOnce },
  preparation: { handle: (id) => prepareDeployment(workplace, id), concurrency: preparationsAtOnce },
});
await serveMetrics(context, executor).catch((error: unknown) => {
  if (!(error instanceof NoPort)) throw error;
  log.error({ problem: error.message }, 'the worker cannot listen');
  process.exit(1);
});
sweepRegularly(context, executor, stop.signal);
lookRegularly(context, warm, stop.signal);
log.info({ concurrency: config.DCTL_WORKER_CONCURRENCY, queue: context.doorbell.carrier }, 'working');

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(1);
    log.info({ signal }, 'stopping: runs that execute are left to the next worker');
    stop.abort();
    const late = setTimeout(() => process.exit(0), config.DCTL_DRAIN_SECONDS * 1_000);
    void Promise.all([doorbell.close(), warm.close()]).then(async () => {
      await Promise.all(workplace.settling);
      await context.close();
      clearTimeout(late);
      process.exit(0);
    });
  });
}
