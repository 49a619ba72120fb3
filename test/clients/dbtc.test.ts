import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { expectNoErrors } from '../support/errors.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { until } from '../support/until.ts';
import { bodyOf } from '../support/webhooks.ts';
import { createJobs, numbersOf, startClientSystem, type ClientSystem } from './client-system.ts';
import { runClient } from './environments.ts';
import { filledIn, shownIn } from '../support/pages.ts';
import { runPieces, type Piece } from './run-pieces.ts';

let system: ClientSystem;
let numbers: Awaited<ReturnType<typeof numbersOf>>;
let jobs: Record<string, number>;
let receiver: Receiver;
let folder: string;
let told: Record<keyof typeof pieces | 'ran', Piece>;

beforeAll(async () => {
  [system, receiver, folder] = await Promise.all([
    startClientSystem(),
    startReceiver((response) => response.end()),
    mkdtemp(join(tmpdir(), 'dctl-clients-')),
  ]);
  numbers = await numbersOf(system);
  const slow = "dbt run-operation wait --args '{seconds: 60}'";
  jobs = await createJobs(system, {
    nightly: 'dbt build',
    late: 'dbt build --target kept',
    slow,
    'cli-nightly': 'dbt build',
    'cli-broken': 'dbt run-operation no_such_macro',
    'cli-slow': slow,
  });
  // They wait more than they work.
  [told] = await Promise.all([runDbtc(), runShell(withCli()), writeJobs().then(() => runShell(asCode()))]);
}, 300_000);
afterAll(async () => {
  await Promise.all([system.stop(), receiver.close(), rm(folder, { recursive: true, force: true })]);
});

const pieces = {
  webhook: `
import time
admin, account = client.cloud, ACCOUNT
webhook = admin.create_webhook(account, {
    "name": "ends", "client_url": RECEIVER, "active": True, "event_types": ["job.run.completed"],
    "job_ids": JOBS["nightly"],
})
result = webhook`,
  reads: `
result = {
    "accounts": admin.list_accounts()["data"],
    "project": admin.get_project_by_name("jaffle_shop")["data"],
    "environments": admin.list_environments(account, PROJECT)["data"],
    "environment": admin.get_environment(account, PROJECT, ENVIRONMENT)["data"],
    "jobs": admin.list_jobs(account, project_id=[PROJECT], order_by="id", limit=2),
    "job": admin.get_job(account, JOBS["nightly"], include_related=["environment"])["data"],
}`,
  failed: `
run = admin.trigger_job(account, JOBS["late"], {"cause": "too early"}, poll_interval=1)
again = admin.trigger_job_from_failure(account, JOBS["late"], poll_interval=1)
result = {
    "run": run["data"],
    "again": again["data"],
    "results": admin.get_run_artifact(account, again["data"]["id"], "run_results.json"),
}`,
  cancelled: `
run = admin.trigger_job(account, JOBS["slow"], {"cause": "by mistake"}, should_poll=False)["data"]
while admin.get_run(account, run["id"])["data"]["status_humanized"] != "Running":
    time.sleep(0.2)
admin.cancel_run(account, run["id"])
while admin.get_run(account, run["id"])["data"]["in_progress"]:
    time.sleep(0.2)
result = admin.get_run(account, run["id"])["data"]`,
  lists: `
result = {
    "late": admin.list_runs(account, job_definition_id=JOBS["late"], order_by="-id", limit=1),
    "succeeded": admin.list_runs(account, job_definition_id=JOBS["late"], status="success")["data"],
    "others": admin.list_runs(
        account, project_id=[PROJECT], environment_id=ENVIRONMENT, status=["error", "cancelled"]
    )["data"],
    "last": admin.get_most_recent_run(
        account, job_definition_id=JOBS["nightly"], include_related=["job", "run_steps"]
    )["data"],
    "artifacts": admin.list_run_artifacts(account, first)["data"],
    "manifest": list(admin.get_most_recent_run_artifact(account, "manifest.json", job_definition_id=JOBS["nightly"])),
    "compiled": admin.get_run_artifact(account, first, "compiled/clients/models/my_model.sql", step=4),
}`,
  jobs: `
made = admin.create_job(account, {
    "name": "made", "project_id": PROJECT, "environment_id": ENVIRONMENT, "execute_steps": ["dbt run"],
})["data"]
changed = admin.update_job(account, made["id"], {**made, "name": "changed", "settings": {"threads": 2}})["data"]
result = {
    "made": made,
    "changed": changed,
    "deleted": admin.delete_job(account, made["id"])["status"],
    "gone": admin.get_job(account, made["id"])["status"],
}`,
  refused: `
result = admin.trigger_job(account, JOBS["nightly"], {"cause": "x", "git_branch": "main"})["status"]`,
  webhookAfter: `
id = webhook["data"]["id"]
fields = {"name": "errors", "client_url": RECEIVER, "active": True, "event_types": ["job.run.errored"]}
result = {
    "listed": admin.list_webhooks(account)["data"],
    "updated": admin.update_webhook(account, id, fields)["data"],
    "tested": admin.test_webhook(account, id)["data"],
    "deleted": admin.delete_webhook(account, id)["status"],
    "gone": admin.get_webhook(account, id)["status"],
}`,
};

test('dbtc triggers a job, waits for it and reads what dbt has left', () => {
  expect(told.ran).toMatchObject({
    result: {
      run: { status_humanized: 'Success', trigger: { cause: 'after the load' } },
      results: { results: expect.arrayContaining([expect.objectContaining({ status: 'success' })]) },
    },
  });
});

test('dbtc reads the account, projects, environments and jobs, and one of them by its name', () => {
  const { accountId } = system;
  const { projectNumber, environmentNumber } = numbers;
  expect(told.reads).toMatchObject({
    result: {
      accounts: [{ id: accountId }],
      project: { id: projectNumber, name: 'jaffle_shop' },
      environments: [{ id: environmentNumber, name: 'production' }],
      environment: { id: environmentNumber, project_id: projectNumber },
      jobs: {
        data: [{ name: 'scheduled-run' }, { name: 'nightly' }],
        extra: { pagination: { count: 2 } },
      },
      job: { id: jobs['nightly'], environment: { id: environmentNumber } },
    },
  });
});

test('dbtc hears why a run failed, and has it taken up there', () => {
  expect(told.failed).toMatchObject({
    result: {
      run: { status_humanized: 'Error', status_message: expect.stringContaining('model.clients.late') },
      again: { status_humanized: 'Success', retrying_run_id: told.failed.result.run.id },
    },
  });
  const ids = told.failed.result.results.results.map((each: any) => each.unique_id);
  expect(ids).toContain('model.clients.late');
  expect(ids).not.toContain('model.clients.my_model');
});

test('dbtc cancels a run', () => {
  expect(told.cancelled).toMatchObject({ result: { status_humanized: 'Cancelled', is_cancelled: true } });
});

test('dbtc lists runs as its filters say, and has the artifacts of the newest', () => {
  const { run: failed, again } = told.failed.result;
  const others = told.lists.result.others.map((each: any) => each.id);
  expect(others).toEqual(expect.arrayContaining([failed.id, told.cancelled.result.id]));
  expect(others).not.toContain(again.id);
  expect(told.lists).toMatchObject({
    result: {
      late: { data: [{ id: again.id }], extra: { pagination: { count: 1, total_count: 2 } } },
      succeeded: [{ id: again.id }],
      last: {
        id: told.ran.result.run.id,
        job: { name: 'nightly' },
        run_steps: [{}, {}, {}, { name: 'Invoke dbt with `dbt build`', status_humanized: 'Success' }],
      },
      artifacts: expect.arrayContaining(['manifest.json', 'run_results.json']),
      manifest: expect.arrayContaining(['nodes']),
      compiled: 'select 1 as id',
    },
  });
});

test('dbtc makes, changes and deletes a job', () => {
  expect(told.jobs).toMatchObject({
    result: {
      made: { name: 'made', execute_steps: ['dbt run'] },
      changed: { name: 'changed', execute_steps: ['dbt run'], settings: { threads: 2 } },
      deleted: { is_success: true },
      gone: { code: 404, user_message: 'There is no such job.' },
    },
  });
});

test('dbtc is told why something is refused', () => {
  expect(told.refused).toMatchObject({
    result: { is_success: false, user_message: expect.stringContaining('git_branch') },
  });
});

test('dbtc subscribes a receiver to the ends of a job, tries it out, and takes it back', () => {
  const { id } = told.webhook.result.data;
  expect(told.webhook.result.data).toMatchObject({ hmac_secret: expect.stringMatching(/^\S{32,}$/) });
  expect(told.webhookAfter).toMatchObject({
    result: {
      listed: [{ id, job_ids: [String(jobs['nightly'])] }],
      updated: { id, name: 'errors' },
      tested: { verification_status_code: '200' },
      deleted: { is_success: true },
      gone: { code: 404 },
    },
  });
  const heard = receiver.hits.map((hit) => bodyOf(hit));
  expect(heard).toMatchObject([
    { eventType: 'job.run.completed', data: { runId: String(told.ran.result.run.id) } },
    { eventType: 'job.run.errored', data: { runId: '0' } },
  ]);
});

test('dbt-cloud-cli runs a job, waits for it and fetches what dbt has left', async () => {
  const { data: run } = await read('run.json');
  expect(run).toMatchObject({ status_humanized: 'Success', job_id: jobs['cli-nightly'] });
  expect((await read('run_results.json')).metadata.env).toMatchObject({ DBT_CLOUD_RUN_ID: String(run.id) });
  const { data: runs } = await read('runs.json');
  expect(runs.map((each: any) => each.id)).toContain(run.id);
});

test('dbt-cloud-cli ends with 1 when the run fails', async () => {
  expect(await read('broken.code')).toBe(1);
  expect((await read('broken.json')).data).toMatchObject({
    status_humanized: 'Error',
    status_message: expect.stringContaining('no_such_macro'),
  });
});

test('dbt-cloud-cli cancels a run', async () => {
  const { data: run } = await read('cancelled.json');
  const path = `/api/v2/accounts/${system.accountId}/runs/${run.id}/`;
  const { body } = await until(
    'the run has ended',
    () => system.call('GET', path),
    ({ body }) => body.data.is_complete,
  );
  expect(body.data.status_humanized).toBe('Cancelled');
});

test('dbt-cloud-cli exports a job and makes another of that', async () => {
  const [exported, imported] = await Promise.all([read('job.json'), read('imported.json')]);
  const { id, execute_steps: steps, settings } = imported.data;
  expect(imported.data).toMatchObject({ name: 'imported', execute_steps: exported.execute_steps });
  expect(id).not.toBe(jobs['cli-nightly']);
  expect([steps, settings]).toEqual([exported.execute_steps, exported.settings]);
});

test('what dbt-jobs-as-code has synced it finds as it wrote it', async () => {
  const nothing = { job_changes: [], env_var_overwrite_changes: [] };
  expect([await read('synced.json'), await read('unchanged.json')]).toEqual([nothing, nothing]);
});

test('dbt-jobs-as-code changes a job, and replaces it by another', async () => {
  const changed = await read('changed.json');
  expect(changed).toMatchObject({ job_changes: [{ action: 'UPDATE' }], apply_success: true });
  const kept = await readFile(join(folder, 'kept.yml'), 'utf8');
  expect(kept).toMatch(/name: Early build\n.*threads: 2\n.*- dbt run\n.*cron: 30 3 \* \* \*\n/s);
  const replaced = await read('replaced.json');
  expect(replaced).toMatchObject({
    job_changes: [{ action: 'CREATE' }, { action: 'DELETE' }],
    apply_success: true,
  });
  const listed = await system.call('GET', `/api/v2/accounts/${system.accountId}/jobs/`);
  const names = listed.body.data.map((job: any) => job.name);
  expect(names.filter((name: string) => name.includes('[['))).toEqual(['Early build [[early]]']);
  expectNoErrors(system);
});

async function runDbtc(): Promise<typeof told> {
  const { accountId, token, certificates } = system;
  const shown = filledIn(shownIn('docs/integrations/dbtc.md', 'python')[0], {
    'dctl.example.com': hostOf(system),
    'account_id=1': `account_id=${accountId}`,
    'get_run_artifact(1,': `get_run_artifact(${accountId},`,
    'job_id=30': `job_id=${jobs['nightly']}`,
    'poll_interval=5': 'poll_interval=1',
  });
  const names = `
import os
from dbtc import dbtCloudClient
client = dbtCloudClient(host="${hostOf(system)}", service_token=os.environ["DAGCTL_TOKEN"])
ACCOUNT, PROJECT, ENVIRONMENT = ${accountId}, ${numbers.projectNumber}, ${numbers.environmentNumber}
JOBS, RECEIVER = ${JSON.stringify(jobs)}, "${receiver.url}"
`;
  const { webhook, ...others } = pieces;
  const ran = `${shown}
first = run["data"]["id"]
result = {"run": run["data"], "results": results}`;
  return runPieces(
    { webhook: names + webhook, ran, ...others },
    { env: { DAGCTL_TOKEN: token }, certificates },
  );
}

/** What dbt-cloud-cli is asked for; what comes of it is in files. */
function withCli(): string {
  const [run, artifact] = shownIn('docs/integrations/dbtc.md', 'sh');
  const here = {
    'dctl.example.com': hostOf(system),
    'ACCOUNT_ID=1': `ACCOUNT_ID=${system.accountId}`,
  };
  const shown = (job: string, options: string) =>
    filledIn(run, { ...here, '--job-id 30 --wait --file run.json': `--job-id ${jobs[job]} ${options}` });
  const numberIn = (file: string) =>
    `$(python -c 'import json; print(json.load(open("${file}"))["data"]["id"])')`;
  return `
${shown('cli-slow', '--file slow.json')}
dbt-cloud run cancel --run-id ${numberIn('slow.json')} > cancelled.json
{ dbt-cloud job run --job-id ${jobs['cli-broken']} --wait --file broken.json || echo $? > broken.code; } &
${shown('cli-nightly', '--wait --file run.json')}
${filledIn(artifact, { '--run-id 400': `--run-id ${numberIn('run.json')}` })}
dbt-cloud job export --job-id ${jobs['cli-nightly']} --file job.json
sed -i 's/"name": "cli-nightly"/"name": "imported"/' job.json
dbt-cloud job import --file job.json > imported.json
dbt-cloud run list --job-id ${jobs['cli-nightly']} --status Succeeded > runs.json
wait`;
}

async function writeJobs(): Promise<void> {
  const config = filledIn(shownIn('docs/integrations/jobs-as-code.md', 'yaml')[0], {
    'account_id: 1': `account_id: ${system.accountId}`,
    'project_id: 10': `project_id: ${numbers.projectNumber}`,
    'environment_id: 20': `environment_id: ${numbers.environmentNumber}`,
  });
  await writeFile(join(folder, 'jobs.yml'), config);
}

/** The file is synced, changed and synced, and then has another job in the place of its own. */
function asCode(): string {
  return `
${filledIn(shownIn('docs/integrations/jobs-as-code.md', 'sh')[0], { 'https://dctl.example.com': system.tlsUrl })}
dbt-jobs-as-code plan jobs.yml --json > synced.json
sed -i 's/Nightly build/Early build/; s/0 4/30 3/; s/- dbt build/- dbt run/; s/threads: 4/threads: 2/' jobs.yml
dbt-jobs-as-code sync jobs.yml --json > changed.json
dbt-jobs-as-code plan jobs.yml --json > unchanged.json
dbt-jobs-as-code import-jobs --account-id ${system.accountId} --managed-only > kept.yml
sed -i 's/nightly:/early:/' jobs.yml
dbt-jobs-as-code sync jobs.yml --json > replaced.json`;
}

function hostOf({ tlsUrl }: ClientSystem): string {
  return tlsUrl.replace('https://', '');
}

async function read(name: string): Promise<any> {
  return JSON.parse(await readFile(join(folder, name), 'utf8'));
}

async function runShell(input: string): Promise<void> {
  const { token, certificates } = system;
  const { exitCode, stdout, stderr } = await runClient('dbt-cloud-clients', ['bash', '-e'], {
    input,
    cwd: folder,
    env: { DAGCTL_TOKEN: token },
    certificates,
  });
  if (exitCode !== 0) throw new Error(`a client ended with ${exitCode}: ${stdout}${stderr}`);
}
