import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { filledIn, runShown, shownCall, shownIn } from '../support/pages.ts';
import { expectNoErrors } from '../support/errors.ts';
import { startIngestion, type Ingestion, type LoadWebhook } from '../support/ingestion.ts';
import { ended, expectStatus } from '../support/project.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { until } from '../support/until.ts';
import { bodyOf, changeJob, hitsOf } from '../support/webhooks.ts';
import { logOf } from '../worker/probe.ts';
import { runsOf, startLoadedSystem, type Server } from './two-systems.ts';

/** Runs dbt when data came. */
let first: Server;
/** Is called when that is done. Nothing is executed here: what matters is which runs there are. */
let second: Server;
/** The line from the first to the second. */
let line: Proxy;
let receiver: Receiver;
let ingestion: Ingestion;
/** The same tool, whose webhook tells an event and judges nothing itself. */
let teller: Ingestion;
/** Of the first, by what they are for. */
let hooks: Record<'reports' | 'products' | 'failure', string>;
let rule: { name: string };

beforeAll(async () => {
  [first, second, receiver] = await Promise.all([
    startLoadedSystem(),
    startLoadedSystem({ workers: 0 }),
    startReceiver((response) => response.end()),
  ]);
  line = await startProxy({ host: '127.0.0.1', port: Number(new URL(second.url).port) });
  const webhook = { webhook_enabled: true, webhook_url: receiver.url };
  const changed = await changeJob(first, first.project, {
    command: 'dbt build --exclude payments',
    ...webhook,
  });
  expect(changed.status).toBe(200);

  const own = { key: 'erathos_abc123456', variables: { dbt_account_id: String(first.accountNumber) } };
  const secrets = { dbt_personal_token: first.triggerToken };
  ingestion = await startIngestion({ ...own, secrets, webhooks: [asTheDocumentShowsIt()] });
  teller = await startIngestion({ ...own, secrets, webhooks: [await tellingEvents()] });
  hooks = await makeHooks();
}, 120_000);
afterAll(async () => {
  await Promise.all([ingestion, teller, receiver, line].map((each) => each?.close()));
  await Promise.all([first?.stop(), second?.stop()]);
});

const cause =
  'Triggered by Erathos after successful ingestion of orders | Execution ID: abc-123-def | Rows: 1547';

/** Only the host, the numbers and the job's id are others. */
function asTheDocumentShowsIt(): LoadWebhook {
  return {
    method: 'POST',
    url: `${first.url}/api/v2/accounts/\${{variables.dbt_account_id}}/jobs/${first.jobNumber}/run/`,
    header: {
      'Content-Type': 'application/json',
      Accept: 'application/json',
      Authorization: 'Bearer ${{secrets.dbt_personal_token}}',
    },
    body: {
      cause:
        'Triggered by Erathos after successful ingestion of ${{erathos.TABLE_NAME}} | Execution ID: ${{erathos.EXECUTION_ID}} | Rows: ${{erathos.ROWS}}',
    },
    rules: [
      { variable_name: 'STATUS', operation: 'EQUAL', value: 'FINISHED' },
      { variable_name: 'ROWS', operation: 'GREATER_THAN', value: '0' },
      { variable_name: 'NESTED_TABLE', operation: 'EQUAL', value: 'false' },
    ],
  };
}

/** The source and the rule of the page, and the event that it shows, of whatever load. */
async function tellingEvents(): Promise<LoadWebhook> {
  const source = await runShown(first, shownCall('/api/v1/event-sources"'));
  rule = await runShown(
    first,
    filledIn(shownCall('/api/v1/event-rules"'), {
      your_source_id: source.id,
      your_job_id: first.project.jobId,
    }),
  );
  return {
    method: 'POST',
    url: `${first.url}/api/v1/events/${source.id}`,
    header: { 'Content-Type': 'application/json', Authorization: `Bearer ${source.secret}` },
    body: {
      execution_id: '${{erathos.EXECUTION_ID}}',
      table: '${{erathos.TABLE_NAME}}',
      status: '${{erathos.STATUS}}',
      rows: '${{erathos.ROWS}}',
      is_nested: '${{erathos.NESTED_TABLE}}',
    },
    rules: [],
  };
}

/** What follows a run of the first, as the page shows it: one of them made through the paths of Erathos. */
async function makeHooks(): Promise<typeof hooks> {
  const below = `/developers/workspaces/${first.organizationId}`;
  const key = { authorization: `Api-Key ${first.token}` };
  const make = (path: string, body: unknown) =>
    expectStatus(201, first.call('POST', `${below}${path}`, body, key));
  await make('/variables/', { name: 'products_load', value: 'products' });
  await make('/secrets/', { name: 'ingestion_key', value: 'erathos_abc123456' });
  await runShown(first, filledIn(shownCall('"name": "other_token"'), { 'dctl_...': second.triggerToken }));
  const job = { your_job_id: first.project.jobId };
  const reports = filledIn(shownCall('/api/v2/accounts/1/jobs/30/run/",'), {
    'https://dctl.example.com/api/v2/accounts/1/jobs/30': `${second.url}/api/v2/accounts/${second.accountNumber}/jobs/${second.jobNumber}`,
    ...job,
  });
  const failure = filledIn(shownCall('other_project_id'), {
    'https://dctl.example.com': `http://127.0.0.1:${line.port}`,
    other_project_id: second.project.projectId,
    other_job_id: second.project.jobId,
    ...job,
  });
  const products = filledIn(shownCall('secrets.ingestion_key'), {
    'https://ingestion.example.com': ingestion.url,
    ...job,
  });
  const definition = JSON.parse(/-d '(.+)'/s.exec(products)?.[1] ?? '');
  return {
    reports: (await runShown(first, reports)).id,
    failure: (await runShown(first, failure)).id,
    products: (await make('/orchestration/webhooks/', definition)).body._id,
  };
}

/** The newest delivery of a hook, once nothing more will be sent. */
async function sentBy(hookId: string): Promise<any> {
  const path = `/api/v1/hooks/${hookId}/deliveries`;
  return until(
    `hook ${hookId} has been sent`,
    async () => (await expectStatus(200, first.call('GET', path))).body.data[0],
    (delivery) => delivery !== undefined && !['pending', 'sending'].includes(delivery.state),
  );
}

/** What the warehouse knows of all runs: that is printed at the end of each. */
async function loggedBy(runId: string): Promise<string[][]> {
  const lines = (await logOf(first, runId)).split('\n').filter((each) => each.startsWith('{"logged"'));
  return lines.map((each) => JSON.parse(each).logged);
}

test('a load that brought rows makes dbt run, everything says what caused it, and what depends on dbt is called', async () => {
  const [answer] = await ingestion.finish({ table: 'orders', executionId: 'abc-123-def', rows: 1547 });
  expect(answer?.status).toBe(200);
  const [{ id }] = await runsOf(first);
  const run = await ended(first, id);
  expect(run).toMatchObject({ status: 'success', triggered_by: 'api', cause });

  const [hit] = await until(
    'the webhook came',
    () => hitsOf(receiver.hits, id),
    ({ length }) => length > 0,
  );
  expect(bodyOf(hit!).conf.job_run.cause).toBe(cause);
  expect(await loggedBy(id)).toEqual([[id, cause, '', '']]);

  expect(await sentBy(hooks.reports)).toMatchObject({ run_id: id, kind: 'hook', state: 'delivered' });
  const reports = (await runsOf(second)).filter((each) => each.cause?.includes(id));
  expect(reports).toMatchObject([
    { triggered_by: 'api', cause: `scheduled-run brought 3 rows | Run: ${id}` },
  ]);
  expect(await sentBy(hooks.products)).toMatchObject({ run_id: id, kind: 'hook', state: 'delivered' });
  expect(ingestion.asked).toEqual(['products']);
  const notSent = await first.call('GET', `/api/v1/hooks/${hooks.failure}/deliveries`);
  expect(notSent.body.data.filter((each: any) => each.run_id === id)).toEqual([]);
}, 120_000);

const withoutData = [
  {
    what: 'brought no rows',
    load: { rows: 0 },
    because: /^rows is "0", so rows GREATER_THAN 0 does not hold\.$/,
  },
  { what: 'failed', load: { rows: 12, status: 'FAILED' as const }, because: /^status is "FAILED"/ },
  { what: 'is of a nested table', load: { rows: 12, isNested: true }, because: /^is_nested is "true"/ },
];

test.each(withoutData)('a load that $what makes no run', async ({ load }) => {
  const before = (await runsOf(first)).length;
  expect(await ingestion.finish({ table: 'orders', executionId: 'without-data', ...load })).toEqual([]);
  expect(await runsOf(first)).toHaveLength(before);
});

test.each(withoutData)(
  'told as an event, a load that $what makes no run, and it can be read why',
  async ({ what, load, because }) => {
    const before = (await runsOf(first)).length;
    const [answer] = await teller.finish({ table: 'orders', executionId: `load that ${what}`, ...load });
    const { body } = await expectStatus(200, first.call('GET', `/api/v1/events/${answer!.body.id}`));
    expect(body.verdicts).toMatchObject([
      { rule_name: rule.name, verdict: 'no_match', reason: expect.stringMatching(because), run: null },
    ]);
    expect(await runsOf(first)).toHaveLength(before);
  },
);

test('an event that holds makes one run however often it is told; when dbt fails, who is called knows the nodes and makes one run although the first answer was lost', async () => {
  line.loseAnswers();
  const load = { table: 'payments', executionId: "it\\'s the 4711th", rows: 12 };
  const [told, again] = [...(await teller.finish(load)), ...(await teller.finish(load))];
  expect([told?.body.duplicate, again?.body.duplicate]).toEqual([false, true]);
  expect(again?.body.id).toBe(told?.body.id);
  const id: string = told?.body.verdicts[0].run_id;

  const run = await ended(first, id);
  expect(run).toMatchObject({
    triggered_by: 'event',
    requested_by: 'ingestion',
    command_override: 'dbt build --select payments',
    cause: '12 rows came into payments',
    metadata: { execution_id: "it\\'s the 4711th", table: 'payments' },
  });
  expect(['partial', 'failed']).toContain(run.status);
  const logged = await loggedBy(id);
  expect(logged.at(-1)).toEqual([id, '12 rows came into payments', "it/'s the 4711th", 'payments']);

  await until(
    'the first try is lost',
    async () => (await first.call('GET', `/api/v1/hooks/${hooks.failure}/deliveries`)).body.data[0]?.tries[0],
    (tried) => tried?.result != null,
  );
  await line.mend();
  const delivery = await sentBy(hooks.failure);
  expect(delivery).toMatchObject({ run_id: id, state: 'delivered' });
  expect(delivery.tries.map((each: any) => each.status_code)).toEqual([null, 200]);
  const called = (await runsOf(second)).filter((each) => each.metadata?.run === id);
  expect(called).toMatchObject([
    {
      triggered_by: 'manual',
      cause: '1 nodes failed in scheduled-run',
      metadata: { run: id, failed_nodes: 'model.loaded.payments' },
    },
  ]);

  const { body } = await expectStatus(200, first.call('GET', `/api/v1/events/${told?.body.id}`));
  expect(body.verdicts).toMatchObject([{ verdict: 'run', reason: null, run: { id, status: run.status } }]);
  expect(body.verdicts[0].run.deliveries.map((each: any) => each.kind)).toContain('hook');
  const events = await expectStatus(200, first.call('GET', `/api/v1/runs/${id}/events`));
  expect(events.body.data).toMatchObject([{ id: told?.body.id }]);
  expectNoErrors(first);
}, 120_000);

test('the calls that are shown are answered as it is said of them', async () => {
  const { accountNumber, jobNumber, organizationId, project } = second;
  const run = await runShown(
    second,
    filledIn(shownCall('$DAGCTL_URL/api/v2/'), {
      'accounts/1/jobs/30': `accounts/${accountNumber}/jobs/${jobNumber}`,
    }),
  );
  expect(run.data).toMatchObject({ trigger: { cause }, is_complete: false });

  const source = await runShown(second, shownCall('/api/v1/event-sources"'));
  const ids = { your_source_id: source.id, your_job_id: project.jobId };
  await runShown(second, filledIn(shownCall('/api/v1/event-rules"'), ids));
  const event = filledIn(shownCall('/api/v1/events/'), {
    your_source_id: source.id,
    your_source_token: source.secret,
  });
  const told = await runShown(second, event);
  expect(told).toMatchObject({ duplicate: false, verdicts: [{ verdict: 'run' }] });
  expect(await runShown(second, event)).toEqual({ ...told, duplicate: true });
  const withoutRows = await runShown(
    second,
    filledIn(event, { '"rows": 1547': '"rows": 0', 'abc-123-def': 'abc-124' }),
  );
  const { body } = await second.call('GET', `/api/v1/events/${withoutRows.id}`);
  expect(body.verdicts).toMatchObject([JSON.parse(shownIn('docs/orchestration.md', 'json')[0]!)]);

  await runShown(second, shownCall('"name": "other_token"'));
  const hook = await runShown(
    second,
    filledIn(shownCall('https://dctl.example.com/api/v2/'), { your_job_id: project.jobId }),
  );
  const off = await runShown(
    second,
    filledIn(shownCall('/developers/'), { your_organization_id: organizationId, your_hook_id: hook.id }),
  );
  expect(off).toMatchObject({ _id: hook.id, is_active: false });
});
