import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alone, type Line, type Report } from './figures.ts';
import { exampleFolder, seeSuccess, startSystem, triggerPath, type Bench, type System } from './system.ts';

const everyMs = 150;
const readerCounts = [1, 20];
const aimMs = 250;

/** Logs the time again and again, and waits in between as dbt does for a warehouse. */
const macro = `
{% macro tell_the_time(times, every_ms) %}
  {%- for _ in range(times | int) -%}
    {%- do log('time ' ~ modules.datetime.datetime.now().timestamp(), info=true) -%}
    {%- do run_query('select sleep_ms(' ~ every_ms ~ ')') -%}
  {%- endfor -%}
{% endmacro %}
`;

/** From dbt writing a line of its log to a client that follows it having the line. */
export async function measureLiveLog(bench: Bench, lineCount: number): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'dctl-bench-project-'));
  bench.atEnd(() => rm(folder, { recursive: true, force: true }));
  await cp(exampleFolder, folder, { recursive: true });
  await writeFile(join(folder, 'macros', 'tell_the_time.sql'), macro);
  const system = await startSystem(bench, { folder });
  await system.startWorker();
  const args = `{times: ${lineCount}, every_ms: ${everyMs}}`;
  const jobId = await system.createJob({ command: `dbt run-operation tell_the_time --args '${args}'` });

  const lines: Line[] = [];
  const samples: Record<string, number[]> = {};
  for (const readers of readerCounts) {
    const delays = await delaysOfARun(system, jobId, readers);
    if (delays.length !== lineCount * readers)
      throw new Error(`${delays.length} lines were seen, not ${lineCount} by each of ${readers} readers`);
    const text = readers === 1 ? 'a reader' : `each of ${readers} readers`;
    const what = `live log line: written by dbt to seen by ${text}`;
    lines.push(
      alone({ id: `live-log-${readers}`, what, unit: 'ms', aim: { figure: 'p95', atMost: aimMs } }, delays),
    );
    samples[text] = delays;
    bench.say(`live log, ${text}: ${delays.length} lines`);
  }
  return {
    lines,
    notes: [
      `dbt logs the time ${lineCount} times, ${everyMs} ms apart. A reader is a client of this process that follows the log over HTTP; the clock of the container is the clock of the machine.`,
    ],
    samples,
  };
}

async function delaysOfARun(system: System, jobId: string, readers: number): Promise<number[]> {
  const { job_run_id: runId } = await system.client.call<{ job_run_id: string }>(
    'POST',
    triggerPath(system, jobId),
    {},
  );
  const delays = await Promise.all(Array.from({ length: readers }, () => follow(system, runId)));
  await seeSuccess(system, runId, 20);
  return delays.flat();
}

async function follow({ url, headers }: System, runId: string): Promise<number[]> {
  const log = await fetch(`${url}/api/v1/runs/${runId}/logs?follow=1`, { headers });
  const decoder = new TextDecoder();
  const delays: number[] = [];
  let unfinished = '';
  for await (const chunk of log.body ?? []) {
    const now = performance.timeOrigin + performance.now();
    const lines = (unfinished + decoder.decode(chunk, { stream: true })).split('\n');
    unfinished = lines.pop() ?? '';
    for (const line of lines) {
      const [, written] = /time (\d+\.\d+)/.exec(line) ?? [];
      if (written !== undefined) delays.push(now - Number(written) * 1_000);
    }
  }
  return delays;
}
