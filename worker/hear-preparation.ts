import { ProtocolReader } from './dbt/protocol.ts';
import type { Output } from './executors/executor.ts';
import type { Mask } from './masking.ts';
import { maskedOutput } from './resume-log.ts';

/** Of what dbt printed so much is kept, of its end. */
const outputBytes = 16 * 1024;

export interface HeardOfPreparation {
  /** Null: the container ended before it said so. */
  finished: { exitCode: number; error: string | null } | null;
  dbtVersion: string | null;
  /** Whether what was parsed may be another for each run. */
  readsRun: boolean;
  /** The end of what dbt printed, masked. */
  output: string;
}

/** Listens to a container that prepares, until it has nothing more to say. */
export async function hearPreparation(output: Output, mask: Mask): Promise<HeardOfPreparation> {
  const reader = new ProtocolReader();
  let finished: HeardOfPreparation['finished'] = null;
  let dbtVersion: string | null = null;
  let readsRun = false;
  let printed: Buffer = Buffer.alloc(0);
  try {
    for await (const { stream, content } of maskedOutput(output, mask)) {
      if (stream === 'log') {
        printed = Buffer.concat([printed, content]);
        if (printed.length > 2 * outputBytes) printed = printed.subarray(-outputBytes);
        continue;
      }
      for (const event of reader.read(content)) {
        if (event.event === 'ready') dbtVersion = event.dbt_version;
        if (event.event === 'parsed') readsRun = event.reads_run;
        if (event.event === 'finished') finished = { exitCode: event.exit_code, error: event.error };
      }
    }
  } catch {
    // It was cut off. What matters has been heard, or has not.
  }
  return { finished, dbtVersion, readsRun, output: endOf(printed) };
}

/** From the beginning of a line on, and without what Postgres does not take. */
function endOf(printed: Buffer): string {
  const end = printed.subarray(-outputBytes);
  const text = end.toString().replaceAll('\0', '').toWellFormed();
  return end.length < printed.length ? text.slice(text.indexOf('\n') + 1) : text;
}
