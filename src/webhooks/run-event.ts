import type { StoredRunEvent } from './subscription-store.ts';

/** What subscriptions tell of: that a run began, that it ended and its artifacts can be read, that it failed. */
export const runEvents = ['job.run.started', 'job.run.completed', 'job.run.errored'] as const;
export type RunEvent = (typeof runEvents)[number];

/** Nobody let such a run come to its end; every other `error` is one. */
export const cancelledReasons = ['cancelled', 'replaced'] as const;

export function isCancelled({ statusReason }: { statusReason: string | null }): boolean {
  return (cancelledReasons as readonly (string | null)[]).includes(statusReason);
}

/** Which of them a run's end is. One that was cancelled, or replaced while it waited, has not failed. */
export function eventsOfEnd({
  status,
  statusReason,
}: {
  status: string;
  statusReason: string | null;
}): RunEvent[] {
  const { code } = statusOf({ status, statusReason });
  return code === 20 ? ['job.run.errored', 'job.run.completed'] : ['job.run.completed'];
}

/** The body of an event in dbt Cloud's format: there ids in `data` are texts, and `None` is what a run says of itself. */
export function runEventBody(
  event: RunEvent,
  ids: { eventId: string; subscriptionId: string; subscriptionName: string; at: Date },
  run: StoredRunEvent,
): string {
  const { name, code } = statusOf(run);
  const finishedAt = isoSeconds(run.finishedAt);
  return JSON.stringify({
    accountId: run.accountNumber,
    webhooksID: ids.subscriptionId,
    eventId: ids.eventId,
    timestamp: isoNanoseconds(ids.at),
    eventType: event,
    webhookName: ids.subscriptionName,
    data: {
      jobId: String(run.jobNumber),
      jobName: run.jobName,
      runId: String(run.runNumber),
      environmentId: String(run.environmentNumber),
      environmentName: run.environmentName,
      dbtVersion: run.programVersion ?? '',
      projectName: run.projectName,
      projectId: String(run.projectNumber),
      runStatus: name,
      runStatusCode: code,
      runStatusMessage: 'None',
      runReason: reasonOf(run),
      runStartedAt: isoSeconds(run.startedAt),
      ...(event === 'job.run.completed' ? { runFinishedAt: finishedAt } : {}),
      ...(event === 'job.run.errored' ? { runErroredAt: finishedAt } : {}),
    },
  });
}

/** Tells of nothing that was: for somebody who tries a subscription out. */
export function testEventBody(
  event: RunEvent,
  ids: { eventId: string; subscriptionId: string; subscriptionName: string; at: Date },
  accountNumber: number,
): string {
  const run: StoredRunEvent = {
    accountNumber,
    jobNumber: 0,
    jobName: 'Test of a webhook',
    runNumber: 0,
    environmentNumber: 0,
    environmentName: 'Test of a webhook',
    projectNumber: 0,
    projectName: 'Test of a webhook',
    programVersion: null,
    status: event === 'job.run.started' ? 'running' : event === 'job.run.errored' ? 'failed' : 'success',
    statusReason: null,
    triggeredBy: 'manual',
    requestedBy: null,
    cause: 'This is a test: nothing has run.',
    startedAt: ids.at,
    finishedAt: ids.at,
  };
  return runEventBody(event, ids, run);
}

/** dbt Cloud's words and numbers. */
function statusOf({ status, statusReason }: { status: string; statusReason: string | null }) {
  if (status === 'running') return { name: 'Running', code: 3 };
  if (status === 'success') return { name: 'Success', code: 10 };
  if (isCancelled({ statusReason })) return { name: 'Cancelled', code: 30 };
  return { name: 'Errored', code: 20 };
}

/** The trigger's cause; without one, who or what asked. */
export function reasonOf({
  cause,
  triggeredBy,
  requestedBy,
}: Pick<StoredRunEvent, 'cause' | 'triggeredBy' | 'requestedBy'>): string {
  if (cause !== null) return cause;
  return triggeredBy === 'schedule' ? 'Scheduled' : `Kicked off by ${requestedBy ?? 'nobody known'}`;
}

function isoSeconds(time: Date | null): string | null {
  return time && `${time.toISOString().slice(0, 19)}Z`;
}

function isoNanoseconds(time: Date): string {
  return `${time.toISOString().slice(0, 23)}000000Z`;
}
