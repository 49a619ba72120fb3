import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { textOfRedis } from '../support/messages.ts';
import { deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { secretsIn, storedText } from '../support/stored-text.ts';
import { startSystem, type System } from '../support/system.ts';
import {
  bodyOf,
  changeJob,
  createWebhookJob,
  deployProjectWithoutImage,
  headerOf,
  revealSecret,
  runAndTell,
  type JobKey,
} from '../support/webhooks.ts';

const planted = {
  Authorization: 'Bearer planted-bearer-9f3b2c71',
  'X-Api-Key': 'planted-key-55aa01',
  'X-Api-Key-Longer': 'planted-key-55aa01-and-more',
  'X-Digest': 'Digest username="planted-user-77", response="planted\\response-31"',
};
/** What must be nowhere: whole values, and the parts of them that would do. */
const secrets: Record<string, string> = {
  ...planted,
  bearer: 'planted-bearer-9f3b2c71',
  longer: '55aa01',
  digest: 'planted-user-77',
  replaced: 'planted-replaced-8812',
};

let system: System;
let receiver: Receiver;
/** Its runs end at once. */
let job: JobKey;
/** Every answer the API gave. */
const answers: string[] = [];

beforeAll(async () => {
  system = await startSystem({
    environment: {
      DCTL_LOG_LEVEL: 'debug',
      DCTL_WEBHOOK_RETRY_SECONDS: '0.2',
      DCTL_WEBHOOK_TIMEOUT_SECONDS: '3',
    },
  });
  const { call } = system;
  system.call = async (...request) => {
    const answer = await call(...request);
    answers.push(answer.text);
    return answer;
  };
  receiver = await startReceiver((response, { headers, rawHeaders }) => {
    const { cause } = bodyOf(receiver.hits.at(-1)!).conf.job_run;
    response.writeHead(cause === 'fail once' ? 500 : 200, { 'x-echo': rawHeaders.join(' ') });
    response.end(`${JSON.stringify(headers)}\n${rawHeaders.join('\n')}`);
  });
  job = await createSecretJob(await deployProjectWithoutImage(system));
});
afterAll(async () => {
  await receiver.close();
  await system.stop();
});

test('headers and signing secret reach the receiver and no answer, log line or table, whatever goes wrong on the way', async () => {
  const job = await createSecretJob(await deployProject(system));
  const before = receiver.hits.length;
  const { delivery } = await runAndTell(system, job, { cause: 'fail once' });
  expect(receiver.hits).toHaveLength(before + 2);
  for (const [name, value] of Object.entries(planted))
    expect(headerOf(receiver.hits[before]!, name.toLowerCase())).toBe(value);

  await askForEverything(job);
  const refused = await changeJob(system, job, {
    webhook_headers: { 'X-Bad': `${planted['X-Api-Key']}\r\nX-More: 1` },
  });
  expect(refused.status).toBe(400);
  const userInfo = new URL(receiver.url);
  userInfo.password = secrets['bearer']!;
  expect((await changeJob(system, job, { webhook_url: userInfo.href })).status).toBe(400);

  expect(secretsIn(answers.join('\n'), secrets)).toEqual([]);
  const lines = [system.api, ...system.workers].flatMap((each) =>
    each.lines.map((line) => JSON.stringify(line)),
  );
  expect(lines.some((line) => line.includes(delivery.id))).toBe(true);
  expect(secretsIn(lines.join('\n'), { ...secrets, token: system.token })).toEqual([]);
  const stored = [await storedText(system.pool), await textOfRedis(system)].join('\n');
  expect(stored).toContain(delivery.id);
  expect(stored).toMatch(/^(bullmq\.|bull:)/m);
  expect(secretsIn(stored, { ...secrets, token: system.token })).toEqual([]);
});

test('what the receiver repeats of the headers is masked in the stored answer', async () => {
  const { delivery } = await runAndTell(system, job);
  const { answer } = delivery.tries[0];
  expect(answer).toContain('"x-api-key":"***"');
  expect(answer).toContain('"x-digest":"***"');
  expect(answer).toContain('"authorization":"***"');
  expect(answer).toContain(`"webhook-id":"${delivery.id}"`);
  expect(secretsIn(answer, secrets)).toEqual([]);
});

test('a secret that the time limit cuts in two in the middle of the answer is masked too', async () => {
  const half = secrets['bearer']!.slice(0, -4);
  const slow = await startReceiver(
    (response) => void response.write(`You sent Authorization: Bearer ${half}`),
  );
  const slowJob = await createWebhookJob(system, await deployProjectWithoutImage(system), slow.url, {
    webhook_headers: planted,
  });
  const { delivery } = await runAndTell(system, slowJob);
  expect(delivery.tries).toMatchObject([
    { result: 'timed_out', answer: 'You sent Authorization: ***' },
    { result: 'timed_out' },
  ]);
  await slow.close();
});

test('headers are shown as ***, which sent back keeps their values', async () => {
  const path = `/api/v1/projects/${job.projectId}/jobs/${job.jobId}`;
  const shown = (await expectStatus(200, system.call('GET', path))).body.webhook_headers;
  expect(shown).toEqual(Object.fromEntries(Object.keys(planted).map((name) => [name, '***'])));
  await expectStatus(200, changeJob(system, job, { webhook_headers: shown }));
  const before = receiver.hits.length;
  await runAndTell(system, job);
  expect(headerOf(receiver.hits[before]!, 'x-api-key')).toBe(planted['X-Api-Key']);
});

test('a new host does not get the headers that were meant for the old one', async () => {
  const elsewhere = await startReceiver((response) => response.end());
  const other = await createWebhookJob(system, await deployProjectWithoutImage(system), receiver.url, {
    webhook_headers: planted,
  });
  const changed = await expectStatus(200, changeJob(system, other, { webhook_url: elsewhere.url }));
  expect(changed.body.webhook_headers).toEqual({});
  await runAndTell(system, other);
  expect(elsewhere.hits).toHaveLength(1);
  expect(secretsIn(elsewhere.hits[0]!.rawHeaders.join('\n'), secrets)).toEqual([]);
  await elsewhere.close();
});

/** A job with all the headers, whose one earlier header was replaced by them. */
async function createSecretJob(project: DeployedProject): Promise<JobKey> {
  const webhook_headers = { 'X-Old': secrets['replaced']! };
  const job = await createWebhookJob(system, project, receiver.url, { webhook_headers });
  await expectStatus(200, changeJob(system, job, { webhook_headers: planted }));
  secrets[`signing secret of ${job.jobId}`] = revealSecret(system, job);
  return job;
}

/** Every list and thing of the API that has to do with the job. */
async function askForEverything(job: JobKey): Promise<void> {
  const ofProject = `/api/v1/projects/${job.projectId}`;
  const ofJob = `${ofProject}/jobs/${job.jobId}`;
  const runs = await expectStatus(200, system.call('GET', '/api/v1/runs'));
  const ofRuns = runs.body.data.flatMap(({ id }: { id: string }) =>
    ['', '/nodes', '/logs', '/artifacts'].map((part) => `/api/v1/runs/${id}${part}`),
  );
  const paths = [
    '/api/v1/projects',
    ofProject,
    `${ofProject}/jobs`,
    `${ofProject}/environments`,
    ofJob,
    `${ofJob}/deliveries`,
  ];
  for (const path of [...paths, ...ofRuns]) await expectStatus(200, system.call('GET', path));
}
