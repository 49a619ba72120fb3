import type { Context } from '../context.ts';
import { pageQuery } from '../paging.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { changeJob, createJob, deleteJob, getJob, jobsOf } from './jobs.ts';
import * as shapes from './schema.ts';

const tag = 'Jobs';
const jobsPath = '/api/v1/projects/{project_id}/jobs';
const jobPath = `${jobsPath}/{job_id}`;
const keyOf = (params: { project_id: string; job_id: string }) => ({
  projectId: params.project_id,
  jobId: params.job_id,
});

export const jobRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: jobsPath,
    name: 'listJobs',
    summary: "A project's jobs",
    tag,
    scope: 'read',
    params: shapes.jobsParams,
    query: pageQuery,
    success: { status: 200, description: 'Jobs, oldest first', schema: shapes.jobList },
    handle: ({ principal, params, query }) => jobsOf(context, principal, params.project_id, query),
  }),
  jsonRoute({
    method: 'post',
    path: jobsPath,
    name: 'createJob',
    summary: 'Make a job',
    tag,
    scope: 'admin',
    params: shapes.jobsParams,
    body: shapes.newJob,
    success: { status: 201, description: 'The job', schema: shapes.jobView },
    handle: ({ principal, params, body }) => createJob(context, principal, params.project_id, body),
  }),
  jsonRoute({
    method: 'get',
    path: jobPath,
    name: 'getJob',
    summary: 'A job',
    tag,
    scope: 'read',
    params: shapes.jobParams,
    success: { status: 200, description: 'The job', schema: shapes.jobView },
    handle: ({ principal, params }) => getJob(context, principal, keyOf(params)),
  }),
  jsonRoute({
    method: 'patch',
    path: jobPath,
    name: 'changeJob',
    summary: 'Change a job, among others its webhook',
    tag,
    scope: 'admin',
    params: shapes.jobParams,
    body: shapes.jobChange,
    success: { status: 200, description: 'The job', schema: shapes.jobView },
    handle: ({ principal, params, body }) => changeJob(context, principal, keyOf(params), body),
  }),
  jsonRoute({
    method: 'delete',
    path: jobPath,
    name: 'deleteJob',
    summary: 'Delete a job; its runs stay',
    tag,
    scope: 'admin',
    params: shapes.jobParams,
    success: { status: 204, description: 'Deleted' },
    handle: ({ principal, params }) => deleteJob(context, principal, keyOf(params)),
  }),
];
