import type { Context } from '../context.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { envelope, enveloped, envelopedList } from './envelope.ts';
import { jobForm } from './job-form.ts';
import { changeJob, createJob, deleteJob, getJob, jobsOf } from './jobs.ts';
import * as queries from './queries.ts';
import * as shapes from './schema.ts';

const tag = 'dbt Cloud';
const jobs = '/api/v2/accounts/{account_id}/jobs';
const job = `${jobs}/{job_id}`;
const answer = (description: string) => ({ status: 200, description, schema: enveloped(shapes.job) });

export const jobRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: jobs,
    name: 'listJobs_v2',
    summary: "The account's jobs, or those of them that the filters name",
    tag,
    scope: 'read',
    params: shapes.accountParams,
    query: queries.jobQuery,
    success: { status: 200, description: 'A page of jobs', schema: envelopedList(shapes.job) },
    handle: ({ principal, params, query }) => jobsOf(context, principal, params.account_id, query),
  }),
  jsonRoute({
    method: 'post',
    path: jobs,
    name: 'createJob_v2',
    summary: 'Make a job',
    tag,
    scope: 'admin',
    params: shapes.accountParams,
    body: jobForm,
    success: answer('The job'),
    handle: async ({ principal, params, body }) =>
      envelope(await createJob(context, principal, params.account_id, body)),
  }),
  jsonRoute({
    method: 'get',
    path: job,
    name: 'getJob_v2',
    summary: 'A job',
    tag,
    scope: 'read',
    params: shapes.jobParams,
    query: queries.jobShownQuery,
    success: answer('The job'),
    handle: async ({ principal, params, query }) =>
      envelope(await getJob(context, principal, params, query.include_related)),
  }),
  jsonRoute({
    method: 'post',
    path: job,
    name: 'changeJob_v2',
    summary: 'Change a job: what is left out, null, or sent as it was shown stays as it is',
    tag,
    scope: 'admin',
    params: shapes.jobParams,
    body: jobForm,
    success: answer('The job'),
    handle: async ({ principal, params, body }) =>
      envelope(await changeJob(context, principal, params, body)),
  }),
  jsonRoute({
    method: 'delete',
    path: job,
    name: 'deleteJob_v2',
    summary: 'Delete a job; its runs stay',
    tag,
    scope: 'admin',
    params: shapes.jobParams,
    success: answer('The job as it was'),
    handle: async ({ principal, params }) => envelope(await deleteJob(context, principal, params)),
  }),
];
