import type { Context } from '../context.ts';
import { AppError } from '../errors.ts';
import { jsonRoute, streamRoute, type Asked, type Route } from '../http/route.ts';
import { triggerHeaders } from '../runs/schema.ts';
import { sendArtifact } from '../runs/send-artifact.ts';
import { openTrigger } from '../runs/trigger.ts';
import { artifactsOf, goneAsMissing, lastSuccessOf, placeOfArtifact } from './artifacts.ts';
import { envelope, enveloped, envelopedList } from './envelope.ts';
import type { Asking } from './run-answers.ts';
import { cancelRun, getRun, runsOf } from './runs.ts';
import { originOf } from './run-view.ts';
import * as queries from './queries.ts';
import * as shapes from './schema.ts';
import { rerunJob, retryRun, triggerRun, type Rerun } from './trigger.ts';
import { nothingMore, triggerForm } from './trigger-form.ts';

const tag = 'dbt Cloud';
const account = '/api/v2/accounts/{account_id}';
const job = `${account}/jobs/{job_id}`;
const run = `${account}/runs/{run_id}`;
/** Whoever asks again and again how a run is must not be let down by a database that restarts. */
const databaseRestartMs = 5_000;

type Surroundings = Pick<Asked<never, never, never>, 'header' | 'isSecure' | 'signal'>;

export const runRoutes = (context: Context, trigger = openTrigger(context)): Route[] => {
  const asking = (asked: Surroundings, includeRelated: string[] = []): Asking => ({
    origin: originOf(context, asked),
    includeRelated,
    signal: asked.signal,
  });
  const answer = (description: string) => ({
    status: 200,
    description,
    schema: enveloped(shapes.run),
  });
  const rerun = ({ run: made, message }: Rerun) => envelope(made, message);
  const requireToken = async (asked: Asked<typeof shapes.runParams, never, never>) => {
    const { caller, principal, params } = asked;
    if (caller.kind === 'token') return;
    // To whom it does not belong it is not there, here as well.
    await getRun(context, principal, params, asking(asked));
    throw new AppError('forbidden', 'Send a POST: a GET that changes something is for API tokens alone.');
  };

  return [
    jsonRoute({
      method: 'post',
      path: `${job}/run`,
      name: 'triggerRun_v2',
      summary: 'Run a job now',
      tag,
      scope: 'trigger',
      params: shapes.jobParams,
      headers: triggerHeaders,
      body: triggerForm,
      success: answer('The run is recorded and will be executed'),
      handle: async (asked) => {
        const { principal, params, body, header } = asked;
        const key = header('idempotency-key');
        return envelope(await triggerRun(context, trigger, principal, params, body, key, asking(asked)));
      },
    }),
    jsonRoute({
      method: 'post',
      path: `${job}/rerun`,
      name: 'rerunJob_v2',
      summary:
        "What is left of the job's last run if that failed, else all of the job; the answer says which",
      tag,
      scope: 'trigger',
      params: shapes.jobParams,
      headers: triggerHeaders,
      body: nothingMore,
      success: answer('The run is recorded and will be executed'),
      handle: async (asked) => {
        const { principal, params, header } = asked;
        const key = header('idempotency-key');
        return rerun(await rerunJob(context, trigger, principal, params, key, asking(asked)));
      },
    }),
    jsonRoute({
      method: 'get',
      path: `${account}/runs`,
      name: 'listRuns_v2',
      summary: "The account's runs, or those of them that the filters name",
      tag,
      scope: 'read',
      params: shapes.accountParams,
      query: queries.runQuery,
      success: { status: 200, description: 'A page of runs', schema: envelopedList(shapes.run) },
      handle: (asked) => {
        const { principal, params, query } = asked;
        const shown = asking(asked, query.include_related);
        return runsOf(context, principal, params.account_id, query, shown);
      },
    }),
    jsonRoute({
      method: 'get',
      path: run,
      name: 'getRun_v2',
      summary: 'A run',
      tag,
      scope: 'read',
      params: shapes.runParams,
      query: queries.runShownQuery,
      patienceMs: databaseRestartMs,
      success: answer('The run'),
      handle: async (asked) => {
        const { principal, params, query } = asked;
        return envelope(await getRun(context, principal, params, asking(asked, query.include_related)));
      },
    }),
    // One client asks for a change with a GET: no browser that is signed in must be led to that.
    ...(['post', 'get'] as const).flatMap((method) => [
      jsonRoute({
        method,
        acts: method === 'get',
        path: `${run}/cancel`,
        name: method === 'post' ? 'cancelRun_v2' : 'cancelRunByGet_v2',
        summary: 'End a run that waits or executes',
        tag,
        scope: 'trigger',
        params: shapes.runParams,
        success: answer('The run: over when it was queued, and soon when a worker has it'),
        handle: async (asked) => {
          if (method === 'get') await requireToken(asked);
          const { principal, params } = asked;
          return envelope(await cancelRun(context, principal, params, asking(asked)));
        },
      }),
      jsonRoute({
        method,
        acts: method === 'get',
        path: `${run}/retry`,
        name: method === 'post' ? 'retryRun_v2' : 'retryRunByGet_v2',
        summary: 'What is left of a run that failed, or all of its job when it ended with success',
        tag,
        scope: 'trigger',
        params: shapes.runParams,
        headers: triggerHeaders,
        ...(method === 'post' && { body: nothingMore }),
        success: answer('The run is recorded and will be executed'),
        handle: async (asked) => {
          if (method === 'get') await requireToken(asked);
          const { principal, params, header } = asked;
          const key = header('idempotency-key');
          return rerun(await retryRun(context, trigger, principal, params, key, asking(asked)));
        },
      }),
    ]),
    jsonRoute({
      method: 'get',
      path: `${run}/artifacts`,
      name: 'listRunArtifacts_v2',
      summary: 'The paths of the files dbt left',
      tag,
      scope: 'read',
      params: shapes.runParams,
      query: queries.artifactQuery,
      success: { status: 200, description: 'Paths', schema: enveloped(shapes.paths) },
      handle: async ({ principal, params, query }) =>
        envelope(await artifactsOf(context, principal, params, query.step)),
    }),
    streamRoute({
      method: 'get',
      path: `${run}/artifacts/{+path}`,
      name: 'getRunArtifact_v2',
      summary: 'One file, such as manifest.json or compiled/...',
      tag,
      scope: 'read',
      params: shapes.runArtifactParams,
      query: queries.artifactQuery,
      success: file,
      handle: async ({ principal, params, query }, response) => {
        const place = await placeOfArtifact(context, principal, params, query.step);
        const { path } = params;
        await goneAsMissing(() => sendArtifact(context, principal, { ...place, path }, response));
      },
    }),
    streamRoute({
      method: 'get',
      path: `${job}/artifacts/{+path}`,
      name: 'getJobArtifact_v2',
      summary: "One file of the job's newest run that ended with success",
      tag,
      scope: 'read',
      params: shapes.jobArtifactParams,
      success: file,
      handle: async ({ principal, params }, response) => {
        const place = await lastSuccessOf(context, principal, params);
        const { path } = params;
        await goneAsMissing(() => sendArtifact(context, principal, { ...place, path }, response));
      },
    }),
  ];
};

const file = {
  status: 200,
  description: 'The file as dbt wrote it',
  contentType: 'application/octet-stream',
};
