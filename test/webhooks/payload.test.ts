import { expect, test } from '@jest/globals';
import { airflowApi, webhookBody } from '../../src/webhooks/payload.ts';
import type { WebhookSubject } from '../../src/webhooks/payload.ts';

const plainUrl = 'https://example.com/hooks/dbt';
const airflow2 = 'https://airflow.example.com/api/v1/dags/downstream_pipeline/dagRuns';
const airflow3 = 'https://airflow.example.com/api/v2/dags/downstream_pipeline/dagRuns';

const documented = `{
  "conf": {
    "event": "job.completed",
    "timestamp": "2026-04-02T12:00:00Z",
    "job": {
      "id": "def-456",
      "name": "scheduled-run",
      "command": "dbt build"
    },
    "job_run": {
      "id": "abc-123",
      "status": "success",
      "triggered_by": "manual",
      "start_time": "2026-04-02T11:58:00Z",
      "end_time": "2026-04-02T12:00:00Z",
      "duration_seconds": 120.5,
      "command_override": "dbt build --select my_model+",
      "error_message": null
    },
    "project": {
      "id": "project-uuid",
      "name": "dw-main",
      "type": "dbt"
    },
    "organization": {
      "id": "org-uuid",
      "name": "acme"
    }
  }
}`;

test('the body is byte for byte the documented object, keys in the documented order', () => {
  const { text } = webhookBody(subject(), plainUrl);
  expect(JSON.stringify(JSON.parse(text), null, 2)).toBe(documented);
  expect(text).toBe(JSON.stringify(JSON.parse(documented)));
});

test('times are whole seconds in UTC and the duration has at most three decimals', () => {
  const { text } = webhookBody(
    subject({ startTime: new Date('2026-04-02T13:58:00.123+02:00'), durationSeconds: 0.1 + 0.2 }),
    plainUrl,
  );
  expect(JSON.parse(text).conf.job_run).toMatchObject({
    start_time: '2026-04-02T11:58:00Z',
    duration_seconds: 0.3,
  });
});

test('a run that never started has null times', () => {
  const { text } = webhookBody(subject({ startTime: null, endTime: null, durationSeconds: null }), plainUrl);
  expect(JSON.parse(text).conf.job_run).toMatchObject({
    start_time: null,
    end_time: null,
    duration_seconds: null,
  });
});

test('cause and metadata of the trigger travel inside job_run when the trigger gave them', () => {
  const metadata = { sync_id: 42, source: 'erp', full: true };
  const { text } = webhookBody(subject({ cause: 'ingestion ended', metadata }), plainUrl);
  expect(JSON.parse(text).conf.job_run).toMatchObject({ cause: 'ingestion ended', metadata });
});

test('Airflow 2 gets a dag_run_id made from the run, and nothing more', () => {
  const { conf, ...extras } = JSON.parse(webhookBody(subject(), airflow2).text);
  expect(extras).toEqual({ dag_run_id: 'dctl__abc-123' });
  expect(conf).toEqual(JSON.parse(documented).conf);
});

test('Airflow 3 gets a null logical_date as well', () => {
  const { conf, ...extras } = JSON.parse(webhookBody(subject(), airflow3).text);
  expect(extras).toEqual({ dag_run_id: 'dctl__abc-123', logical_date: null });
  expect(conf).toEqual(JSON.parse(documented).conf);
});

test.each([
  ['https://a.example.com/api/v1/dags/x/dagRuns', 'v1'],
  ['https://a.example.com/api/v2/dags/x/dagRuns?y=1', 'v2'],
  ['https://a.example.com/api/v3/dags/x/dagRuns', null],
  ['https://a.example.com/api/v1/dags/x/dagRuns/', null],
  ['https://a.example.com/api/v1/dags/x/dagruns', null],
  ['https://a.example.com/api/v1/dags/x/y/dagRuns', null],
  ['https://a.example.com/api/v1/dags//dagRuns', null],
  ['https://a.example.com/airflow/api/v1/dags/x/dagRuns', null],
  ['https://a.example.com/api/v1/dags/x/dagRuns/list', null],
  ['https://a.example.com/?u=/api/v1/dags/x/dagRuns', null],
  ['not a url', null],
])('%s is taken for the dagRuns collection of API %s', (url, version) => {
  expect(airflowApi(url)).toBe(version);
});

function subject(run: Partial<WebhookSubject['run']> = {}): WebhookSubject {
  return {
    event: 'job.completed',
    timestamp: new Date('2026-04-02T12:00:00.999Z'),
    job: { id: 'def-456', name: 'scheduled-run', command: 'dbt build' },
    run: {
      id: 'abc-123',
      status: 'success',
      triggeredBy: 'manual',
      startTime: new Date('2026-04-02T11:58:00Z'),
      endTime: new Date('2026-04-02T12:00:00.500Z'),
      durationSeconds: 120.5,
      commandOverride: 'dbt build --select my_model+',
      errorMessage: null,
      cause: null,
      metadata: null,
      ...run,
    },
    project: { id: 'project-uuid', name: 'dw-main', type: 'dbt' },
    organization: { id: 'org-uuid', name: 'acme' },
  };
}
