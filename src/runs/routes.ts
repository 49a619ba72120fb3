import type { Context } from '../context.ts';
import { jsonRoute, streamRoute, type Route } from '../http/route.ts';
import { cancelRun } from './cancel.ts';
import { retryRun } from './retry.ts';
import { sendArtifact } from './send-artifact.ts';
import { artifactsOf, getRun, nodesOf, runsOf } from './runs.ts';
import * as shapes from './schema.ts';
import { LogTails } from './log-tails.ts';
import { requireOwnOrganization, sendDocs } from './send-docs.ts';
import { sendLog } from './send-log.ts';
import { trendsOf, usualDurationsOf } from './trends.ts';
import { openTrigger } from './trigger.ts';

const tag = 'Runs';
/** Whoever asks again and again how a run is must not be let down by a database that restarts. */
const databaseRestartMs = 5_000;

export const runRoutes = (
  context: Context,
  triggerRun = openTrigger(context),
  tails = new LogTails(context),
): Route[] => [
  jsonRoute({
    method: 'post',
    path: '/api/v1/projects/{project_id}/jobs/{job_id}/trigger',
    name: 'triggerRun',
    summary: 'Run a job now',
    tag,
    scope: 'trigger',
    params: shapes.triggerParams,
    headers: shapes.triggerHeaders,
    body: shapes.triggerRequest,
    success: {
      status: 200,
      description: 'The run is recorded and will be executed',
      schema: shapes.triggered,
    },
    handle: ({ principal, params, body, header }) =>
      triggerRun(principal, { projectId: params.project_id, jobId: params.job_id }, body, {
        triggeredBy: 'manual',
        idempotencyKey: header('idempotency-key'),
      }),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/v1/projects/{project_id}/jobs/{job_id}/trends',
    name: 'getJobTrends',
    summary: 'How a job has done lately: how long, how well, and what took longest',
    tag: 'Jobs',
    scope: 'read',
    params: shapes.triggerParams,
    query: shapes.trendsQuery,
    success: { status: 200, description: 'Over the last runs', schema: shapes.jobTrends },
    handle: ({ principal, params, query }) =>
      trendsOf(context, principal, { projectId: params.project_id, jobId: params.job_id }, query.runs),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/v1/usual-durations',
    name: 'listUsualDurations',
    summary: 'What the jobs of the organization usually take',
    tag: 'Jobs',
    scope: 'read',
    success: {
      status: 200,
      description: 'All jobs that have had a good run, on one page',
      schema: shapes.usualDurationList,
    },
    handle: ({ principal }) => usualDurationsOf(context, principal),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/v1/runs',
    name: 'listRuns',
    summary: "The organization's runs, or those of them that the filters name",
    tag,
    scope: 'read',
    query: shapes.runQuery,
    success: { status: 200, description: 'Runs, newest first', schema: shapes.runList },
    handle: ({ principal, query }) => runsOf(context, principal, query),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/v1/runs/{run_id}',
    name: 'getRun',
    summary: 'A run',
    tag,
    scope: 'read',
    params: shapes.runParams,
    patienceMs: databaseRestartMs,
    success: { status: 200, description: 'The run', schema: shapes.runView },
    handle: ({ principal, params }) => getRun(context, principal, params.run_id),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/v1/runs/{run_id}/cancel',
    name: 'cancelRun',
    summary: 'End a run that waits or executes',
    tag,
    scope: 'trigger',
    params: shapes.runParams,
    success: {
      status: 200,
      description: 'The run: over when it was queued, and soon when a worker has it',
      schema: shapes.runView,
    },
    handle: ({ principal, params }) => cancelRun(context, principal, params.run_id),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/v1/runs/{run_id}/retry',
    name: 'retryRun',
    summary: 'Run what a run has left undone: its nodes that failed, were skipped or never began',
    tag,
    scope: 'trigger',
    params: shapes.runParams,
    headers: shapes.triggerHeaders,
    body: shapes.retryRequest,
    success: {
      status: 200,
      description: 'The retry is recorded and will be executed',
      schema: shapes.triggered,
    },
    handle: ({ principal, params, body, header }) =>
      retryRun(context, principal, params.run_id, body, header('idempotency-key')),
  }),
  streamRoute({
    method: 'get',
    path: '/api/v1/runs/{run_id}/logs',
    name: 'getRunLog',
    summary: 'What a run printed; follow it live with follow=1 or Accept: text/event-stream',
    tag,
    scope: 'read',
    params: shapes.runParams,
    query: shapes.logQuery,
    success: { status: 200, description: 'Text as dbt printed it', contentType: 'text/plain' },
    handle: ({ principal, params, query, header, signal }, response) => {
      const asEvents = (header('accept') ?? '').includes('text/event-stream');
      const { follow, step } = query;
      const request = { follow, step, asEvents, lastEventId: header('last-event-id'), signal };
      return sendLog(context, tails, principal, params.run_id, request, response);
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/v1/runs/{run_id}/nodes',
    name: 'listRunNodes',
    summary: "What became of each of dbt's nodes, live",
    tag,
    scope: 'read',
    params: shapes.runParams,
    query: shapes.nodeQuery,
    success: { status: 200, description: 'Nodes in the order they started', schema: shapes.nodeList },
    handle: ({ principal, params, query }) => nodesOf(context, principal, params.run_id, query),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/v1/runs/{run_id}/artifacts',
    name: 'listRunArtifacts',
    summary: 'The files dbt left; of several steps the newest of each path',
    tag,
    scope: 'read',
    params: shapes.runParams,
    query: shapes.artifactQuery,
    success: { status: 200, description: 'Artifacts', schema: shapes.artifactList },
    handle: ({ principal, params, query }) => artifactsOf(context, principal, params.run_id, query.step),
  }),
  streamRoute({
    method: 'get',
    path: '/api/v1/organizations/{organization_id}/projects/{project_id}/docs',
    name: 'getProjectDocs',
    summary: "dbt's documentation of a project as its last dbt docs generate left it, for browsers",
    tag: 'Projects',
    scope: 'read',
    params: shapes.docsParams,
    query: shapes.docsQuery,
    success: { status: 200, description: 'A page that needs nothing else', contentType: 'text/html' },
    handle: ({ principal, params, query }, response) => {
      requireOwnOrganization(principal, params.organization_id);
      return sendDocs(context, principal, { projectId: params.project_id, runId: query.run_id }, response);
    },
  }),
  streamRoute({
    method: 'get',
    path: '/api/v1/runs/{run_id}/artifacts/{+path}',
    name: 'getRunArtifact',
    summary: 'One file, such as manifest.json or compiled/...',
    tag,
    scope: 'read',
    params: shapes.artifactParams,
    query: shapes.artifactQuery,
    success: {
      status: 200,
      description: 'The file as dbt wrote it',
      contentType: 'application/octet-stream',
    },
    handle: ({ principal, params, query }, response) => {
      const wanted = { runId: params.run_id, step: query.step, path: params.path };
      return sendArtifact(context, principal, wanted, response);
    },
  }),
];
