import type { Context } from '../context.ts';
import { pageQuery } from '../paging.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { delivery, deliveryParams } from '../webhooks/schema.ts';
import { checkSchedule } from './check-schedule.ts';
import { changeJob, createJob, deleteJob, getJob, jobsOf } from './jobs.ts';
import * as shapes from './schema.ts';
import { rotateWebhookSecret } from './rotate-secret.ts';
import { sendAgain, showWebhookSecret, testWebhook } from './webhook-calls.ts';

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
  jsonRoute({
    method: 'post',
    path: `${jobPath}/webhook/test`,
    name: 'testWebhook',
    summary: "Send a test to where the job's webhooks go",
    tag: 'Webhooks',
    scope: 'admin',
    params: shapes.jobParams,
    success: { status: 202, description: 'What will be sent; its end is to be asked for', schema: delivery },
    handle: ({ principal, params }) => testWebhook(context, principal, keyOf(params)),
  }),
  jsonRoute({
    method: 'post',
    path: `${jobPath}/webhook/reveal-secret`,
    name: 'revealWebhookSecret',
    summary: "The secret that the job's webhooks are signed with; who asked is noted",
    tag: 'Webhooks',
    scope: 'admin',
    params: shapes.jobParams,
    success: { status: 200, description: 'The secret', schema: shapes.webhookSecret },
    handle: ({ principal, params, answerHeader }) => {
      answerHeader('Cache-Control', 'no-store');
      return showWebhookSecret(context, principal, keyOf(params));
    },
  }),
  jsonRoute({
    method: 'post',
    path: `${jobPath}/webhook/rotate-secret`,
    name: 'rotateWebhookSecret',
    summary: 'Make a new signing secret; for a while webhooks are signed with the old one as well',
    tag: 'Webhooks',
    scope: 'admin',
    params: shapes.jobParams,
    body: shapes.secretRotation,
    success: { status: 200, description: 'The new secret', schema: shapes.webhookSecret },
    handle: ({ principal, params, body, answerHeader }) => {
      answerHeader('Cache-Control', 'no-store');
      return rotateWebhookSecret(context, principal, keyOf(params), body);
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/v1/schedules/check',
    name: 'checkSchedule',
    summary: 'The next times of a schedule, for whoever is typing one',
    tag,
    scope: 'read',
    body: shapes.scheduleToCheck,
    success: {
      status: 200,
      description: 'Its next times, or what is wrong with it',
      schema: shapes.scheduleVerdict,
    },
    handle: ({ body }) => checkSchedule(context, body),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/v1/deliveries/{delivery_id}/send-again',
    name: 'sendDeliveryAgain',
    summary: "Send a webhook once more, to where the job's webhooks go now",
    tag: 'Webhooks',
    // It tells the receiver nothing but what a trigger makes it hear.
    scope: 'trigger',
    params: deliveryParams,
    success: { status: 202, description: 'The new delivery; its end is to be asked for', schema: delivery },
    handle: ({ principal, params }) => sendAgain(context, principal, params.delivery_id),
  }),
];
