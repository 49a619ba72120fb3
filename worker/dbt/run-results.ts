import { z } from 'zod';
import { neverBegan } from '../../src/runs/status.ts';

/** What is stored of a step, as far as its results need it. */
export interface LedgerStep {
  arguments: unknown;
  invocationId: string | null;
  programVersion: string | null;
  startedAt: Date | null;
  finishedAt: Date | null;
}

/** What is stored of one of its nodes. */
export interface LedgerNode {
  uniqueId: string;
  status: string;
  durationSeconds: number | null;
  finishedAt: Date | null;
  message: string | null;
  thread: string | null;
  failures: bigint | null;
  adapterResponse: unknown;
  timing: unknown;
  relationName: string | null;
}

/** A `run_results.json` of dbt's own. Whatever else is in it is kept. */
export const ownResults = z.looseObject({
  args: z.record(z.string(), z.unknown()),
  results: z.array(z.looseObject({ unique_id: z.string() })),
});
export type Results = z.output<typeof ownResults>;

/** Since dbt 1.8; later versions of dbt read it. */
const schemaVersion = 'https://schemas.getdbt.com/dbt/run-results/v6.json';
const diedAtWork = 'The run ended while this node was at work.';

/**
 * The results of a step that dbt could not write any more, or not all of: its own, where there are any, and of every
 * other node what the ledger has. Null when it is not known how dbt was invoked: nothing could be done with them.
 */
export function runResults(
  step: LedgerStep,
  nodes: LedgerNode[],
  { own, now }: { own: Results | null; now: Date },
): Results | null {
  const told = new Set(own?.results.map((result) => result.unique_id));
  const rest = nodes.filter(({ uniqueId }) => !told.has(uniqueId)).map(resultOf);
  if (own !== null) return { ...own, results: [...own.results, ...rest] };
  const args = z.record(z.string(), z.unknown()).safeParse(step.arguments);
  // What `dbt source freshness` finds is not in a file of this kind.
  if (!args.success || args.data['which'] === 'freshness') return null;
  return {
    metadata: {
      dbt_schema_version: schemaVersion,
      dbt_version: step.programVersion ?? 'unknown',
      generated_at: (step.finishedAt ?? now).toISOString(),
      invocation_id: step.invocationId,
      invocation_started_at: step.startedAt?.toISOString() ?? null,
      env: {},
    },
    results: rest,
    elapsed_time: elapsedSeconds(step, nodes),
    args: args.data,
  };
}

function resultOf(node: LedgerNode) {
  const { status, message } = endOf(node);
  return {
    status,
    timing: node.timing ?? [],
    thread_id: node.thread ?? '',
    execution_time: node.durationSeconds ?? 0,
    adapter_response: node.adapterResponse ?? {},
    message,
    failures: node.failures === null ? null : Number(node.failures),
    unique_id: node.uniqueId,
    compiled: null,
    compiled_code: null,
    relation_name: node.relationName,
    batch_results: null,
  };
}

/** In dbt's words, of which there are none for a node whose process was killed. */
function endOf({ status, message }: LedgerNode): { status: string; message: string | null } {
  switch (status) {
    case 'queued':
      return { status: 'skipped', message: neverBegan };
    case 'started':
    case 'interrupted':
      return { status: 'error', message: message ?? diedAtWork };
    default:
      return { status, message };
  }
}

function elapsedSeconds({ startedAt, finishedAt }: LedgerStep, nodes: LedgerNode[]): number {
  const ends = nodes.flatMap((node) => node.finishedAt ?? []).map((time) => time.getTime());
  const end = finishedAt?.getTime() ?? ends.reduce((latest, time) => Math.max(latest, time), 0);
  return startedAt === null ? 0 : Math.max(0, end - startedAt.getTime()) / 1_000;
}
