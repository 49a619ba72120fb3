import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspectArchive } from '../src/projects/unpack.ts';
import type { ApiClient, Page } from './setup/api-client.ts';
import { packFolder } from './setup/archive.ts';
import { formatSeconds, paint, type Steps } from './setup/steps.ts';
import { findForgery, openWebhookReceiver, type ReceivedWebhook } from './setup/webhook-receiver.ts';

const projectName = 'jaffle_shop';
const demoJobName = 'demo-run';
const runTimeoutMs = 10 * 60_000;
const webhookTimeoutMs = 15_000;

export interface DemoProject {
  projectId: string;
  /** The project's first job, for the user. */
  jobId: string;
  /** The job that the demo triggers: its webhook leads to the demo's own receiver, for as long as it runs. */
  demoJobId: string;
  /** Whether its runs still use the example's code, and not somebody's own. */
  isExample: boolean;
}

interface Project {
  id: string;
  name: string;
  jobs: { id: string; name: string }[];
}

interface Run {
  status: string;
  error_message: string | null;
  duration_seconds: number | null;
  nodes_total: number | null;
  nodes_done: number;
}

interface Node {
  unique_id: string;
  resource_type: string;
  status: string;
  end_time: string | null;
  duration_seconds: number | null;
}

/** Makes sure that the example project and its jobs are there. Code that somebody deployed to it stays. */
export async function deployExample(api: ApiClient, folder: string): Promise<DemoProject> {
  const archive = await packFolder(folder);
  const limits = { maxFiles: 10_000, maxUnpackedBytes: 100 * 1024 * 1024 };
  const { digest } = await inspectArchive(Readable.from([archive]), limits, 'dbt');

  const { id: projectId } =
    (await findProject(api)) ??
    (await api.call<Project>('POST', '/api/v1/projects', { name: projectName, type: 'dbt' }));
  const deployments = `/api/v1/projects/${projectId}/deployments`;
  const { data: deployed } = await api.call<Page<{ digest: string; is_current: boolean }>>(
    'GET',
    `${deployments}?limit=100`,
  );
  if (deployed.length === 0) await api.upload(deployments, archive);
  const isExample =
    deployed.length === 0 || deployed.some((each) => each.is_current && each.digest === digest);

  const jobs = (await findProject(api))?.jobs ?? [];
  const first =
    jobs.find((job) => job.name === 'scheduled-run') ?? jobs.find((job) => job.name !== demoJobName);
  if (!first) throw new Error(`Project ${projectName} has no job: make one, then start again.`);
  const demo =
    jobs.find((job) => job.name === demoJobName) ??
    (await api.call<{ id: string }>('POST', `/api/v1/projects/${projectId}/jobs`, {
      name: demoJobName,
      command: 'dbt build',
    }));
  return { projectId, jobId: first.id, demoJobId: demo.id, isExample };
}

async function findProject(api: ApiClient): Promise<Project | undefined> {
  let cursor = '';
  for (;;) {
    const page = await api.call<Page<Project>>('GET', `/api/v1/projects?limit=100${cursor}`);
    const found = page.data.find((project) => project.name === projectName);
    if (found || !page.next_cursor) return found;
    cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`;
  }
}

/** Triggers a run, shows it and the webhook it ends in. Answers what went wrong; undefined when nothing did. */
export async function showRun(
  api: ApiClient,
  { projectId, demoJobId }: DemoProject,
  { steps, revealSecret }: { steps: Steps; revealSecret: (jobId: string) => Promise<string> },
): Promise<string | undefined> {
  const job = `/api/v1/projects/${projectId}/jobs/${demoJobId}`;
  const receiver = await openWebhookReceiver();
  try {
    await api.call('PATCH', job, { webhook_enabled: true, webhook_url: receiver.url, webhook_events: [] });
    const secret = await revealSecret(demoJobId);

    const trigger = { cause: 'npm start' };
    const { job_run_id: runId } = await api.call<{ job_run_id: string }>('POST', `${job}/trigger`, trigger);
    const run = await followRun(api, runId, steps);
    sayResult(run, steps);

    const webhook = await receiver.wait(runId, webhookTimeoutMs);
    if (!webhook)
      return `No webhook came within ${webhookTimeoutMs / 1000} s of the run's end: see .dctl/logs/worker.log.`;
    const forgery = findForgery(webhook, secret);
    sayWebhook(webhook, forgery, steps);
    if (forgery) return `The run ended, but ${forgery}.`;
    return run.status === 'success'
      ? undefined
      : `The run ended as ${run.status}: ${run.error_message ?? 'see its log'}`;
  } finally {
    // The job stays: a webhook to a receiver that is gone must not.
    await api.call('PATCH', job, { webhook_enabled: false }).catch(() => {});
    receiver.close();
  }
}

async function followRun(api: ApiClient, runId: string, steps: Steps): Promise<Run> {
  const told = new Set<string>();
  const deadline = Date.now() + runTimeoutMs;
  for (;;) {
    const run = await api.call<Run>('GET', `/api/v1/runs/${runId}`);
    const nodes = (await api.call<Page<Node>>('GET', `/api/v1/runs/${runId}/nodes`)).data;
    for (const node of nodes.filter((each) => each.end_time !== null && !told.has(each.unique_id))) {
      told.add(node.unique_id);
      if (!steps.isTerminal) sayNode(node, steps);
    }
    if (!['queued', 'running'].includes(run.status)) {
      steps.redraw('');
      return run;
    }
    steps.redraw(drawProgress(run, nodes));
    if (Date.now() > deadline)
      throw new Error(`Run ${runId} is still ${run.status} after 10 minutes: see .dctl/logs/worker.log.`);
    await sleep(200);
  }
}

function drawProgress(run: Run, nodes: Node[]): string {
  const total = run.nodes_total ?? 0;
  // dbt counts hooks among the nodes it has done, not among those it has to do.
  const filled = total > 0 ? Math.round((Math.min(run.nodes_done, total) / total) * 24) : 0;
  const active = nodes.filter((node) => node.end_time === null).map(nameOf);
  const label = total > 0 ? `${run.nodes_done}/${total} ${active.join(', ')}` : run.status;
  return `  dbt build ${'█'.repeat(filled)}${'░'.repeat(24 - filled)} ${label}`;
}

function sayNode(node: Node, steps: Steps): void {
  const duration = node.duration_seconds === null ? '' : ` ${formatSeconds(node.duration_seconds * 1000)}`;
  steps.say(`    ${node.status} ${node.resource_type} ${nameOf(node)}${duration}`);
}

/** `model.jaffle_shop.orders` -> `orders`; a generated test's name ends in a hash that tells a reader nothing. */
function nameOf({ unique_id: id }: Node): string {
  return id.split('.')[2] ?? id;
}

function sayResult(run: Run, steps: Steps): void {
  const isGood = run.status === 'success';
  const nodes = run.nodes_total === null ? '' : `, ${run.nodes_total} nodes`;
  const mark = paint(isGood ? 'green' : 'red', isGood ? '✓' : '✗');
  const duration = run.duration_seconds === null ? '' : formatSeconds(run.duration_seconds * 1000);
  steps.say(`  ${mark} dbt build: ${paint('bold', run.status)}${nodes} ${paint('dim', duration)}`);
  if (run.error_message) steps.say(`    ${run.error_message}`);
}

function sayWebhook({ headers, body }: ReceivedWebhook, forgery: string | undefined, steps: Steps): void {
  const mark = paint(forgery ? 'red' : 'green', forgery ? '✗' : '✓');
  steps.say(`  ${mark} Webhook received, ${forgery ?? 'both signatures verified'}`);
  steps.say();
  const shown = [
    'x-dagctl-event',
    'x-dagctl-signature',
    'webhook-id',
    'webhook-timestamp',
    'webhook-signature',
  ];
  for (const name of shown) steps.say(paint('dim', `    ${name}: ${String(headers[name] ?? '')}`));
  const pretty = JSON.stringify(JSON.parse(body.toString()), null, 2);
  steps.say(pretty.replace(/^/gm, '    '));
  steps.say();
}
