/** What a webhook tells about a run that has ended. */
export interface WebhookSubject {
  /** `job.completed`, `job.partial` or `job.failed`. */
  event: string;
  timestamp: Date;
  job: { id: string; name: string; command: string };
  run: {
    id: string;
    status: string;
    triggeredBy: string;
    startTime: Date | null;
    endTime: Date | null;
    durationSeconds: number | null;
    commandOverride: string | null;
    errorMessage: string | null;
    /** Of the trigger. Left out of the body when the trigger gave none. */
    cause: string | null;
    metadata: Record<string, string | number | boolean> | null;
  };
  project: { id: string; name: string; type: string };
  organization: { id: string; name: string };
  /** Nothing has run: somebody tries the webhook out. */
  isTest?: boolean;
}

/**
 * The body to sign, send and store as it stands. `url` decides whether it is for Airflow's own API, which wants more
 * beside `conf` (and refuses the same keys where it does not know them).
 */
export function webhookBody(subject: WebhookSubject, url: string): { text: string } {
  const { run, job, project, organization } = subject;
  const conf = {
    event: subject.event,
    timestamp: isoSeconds(subject.timestamp),
    job: { id: job.id, name: job.name, command: job.command },
    job_run: {
      id: run.id,
      status: run.status,
      triggered_by: run.triggeredBy,
      start_time: run.startTime && isoSeconds(run.startTime),
      end_time: run.endTime && isoSeconds(run.endTime),
      duration_seconds: run.durationSeconds === null ? null : Math.round(run.durationSeconds * 1000) / 1000,
      command_override: run.commandOverride,
      error_message: run.errorMessage,
      ...(run.cause === null ? {} : { cause: run.cause }),
      ...(run.metadata === null ? {} : { metadata: run.metadata }),
    },
    project: { id: project.id, name: project.name, type: project.type },
    organization: { id: organization.id, name: organization.name },
    ...(subject.isTest === true ? { test: true } : {}),
  };
  return { text: enveloped(conf, run.id, url) };
}

/** An earlier body as it goes to `url`: the same text where that is the same kind of receiver, `conf` always the same. */
export function sameBody(text: string, runId: string, url: string): { text: string } {
  const { conf } = JSON.parse(text) as { conf: unknown };
  return { text: enveloped(conf, runId, url) };
}

function enveloped(conf: unknown, runId: string, url: string): string {
  const api = airflowApi(url);
  return JSON.stringify({
    conf,
    // The same for every delivery of a run: Airflow answers 409 instead of starting a second DAG run.
    ...(api === null ? {} : { dag_run_id: `dctl__${runId}` }),
    ...(api === 'v2' ? { logical_date: null } : {}),
  });
}

/** The version of Airflow's API when the URL's path is exactly its `dagRuns` collection, else null. */
export function airflowApi(url: string): 'v1' | 'v2' | null {
  if (!URL.canParse(url)) return null;
  const match = /^\/api\/(v1|v2)\/dags\/[^/]+\/dagRuns$/.exec(new URL(url).pathname);
  return match === null ? null : match[1] === 'v1' ? 'v1' : 'v2';
}

function isoSeconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
