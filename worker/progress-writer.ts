import type { Context } from '../src/context.ts';
import { patiently } from '../src/db.ts';
import type { Lease } from '../src/runs/lease.ts';
import {
  reportProgress,
  reportSection,
  type InvocationReport,
  type NodeReport,
  type StepReport,
} from '../src/runs/progress.ts';
import type { ShimEvent } from './dbt/protocol.ts';

/** So many reports are stored in one statement, and so many may wait for it. */
const batchSize = 500;
/** Of a run. Project code can report nodes that no project has. */
const maxNodes = 20_000;

const nothingYet = {
  startedAt: null,
  finishedAt: null,
  durationSeconds: null,
  rowsAffected: null,
  message: null,
  thread: null,
  timing: null,
  adapterResponse: null,
  failures: null,
  relationName: null,
};

/** Gathers what is reported of a run's steps and their nodes, and stores it in one statement a flush. */
export class ProgressWriter {
  readonly #context: Pick<Context, 'db' | 'pool' | 'log'>;
  readonly #lease: Lease;
  readonly #stepCount: number;
  readonly #letGo: AbortSignal;
  readonly #known = new Set<string>();
  #isFull = false;
  #nodes: NodeReport[] = [];
  /** Those that changed since the last flush. */
  #steps = new Map<number, StepReport>();
  #invocations: InvocationReport[] = [];
  readonly #totals = new Map<number, number>();
  #totalChanged = false;
  #flushing: Promise<void> = Promise.resolve();

  /** `letGo`: until it aborts, Postgres is waited for while it is away. */
  constructor(
    context: Pick<Context, 'db' | 'pool' | 'log'>,
    lease: Lease,
    { stepCount, letGo }: { stepCount: number; letGo: AbortSignal },
  ) {
    this.#context = context;
    this.#lease = lease;
    this.#stepCount = stepCount;
    this.#letGo = letGo;
  }

  /** Waits for the database while a whole batch is waiting: it must be awaited, or nothing bounds what is held. */
  async add(event: ShimEvent): Promise<void> {
    if ('step' in event && event.step > this.#stepCount) return;
    switch (event.event) {
      case 'step_started':
        this.#steps.set(event.step, { number: event.step, startedAt: event.started_at, end: null });
        return;
      case 'step_finished':
        return this.#endStep(event.step, {
          exitCode: event.exit_code,
          error: event.error,
          finishedAt: event.finished_at,
        });
      case 'nodes_total':
        this.#totals.set(event.step, event.total);
        this.#totalChanged = true;
        return;
      case 'invocation':
        this.#invocations.push({
          step: event.step,
          invocationId: event.invocation_id,
          dbtVersion: event.dbt_version,
          arguments: event.arguments,
        });
        return;
      case 'nodes_selected':
        for (const [uniqueId, resourceType, relationName] of event.nodes) {
          const node = { step: event.step, uniqueId, resourceType, relationName };
          await this.#addNode({ ...nothingYet, ...node, status: 'queued' });
        }
        return;
      case 'node_started':
        return this.#addNode({
          ...nothingYet,
          step: event.step,
          uniqueId: event.unique_id,
          resourceType: event.resource_type,
          status: 'started',
          startedAt: event.started_at,
          thread: event.thread,
        });
      case 'node_finished':
        return this.#addNode({
          step: event.step,
          uniqueId: event.unique_id,
          resourceType: event.resource_type,
          status: event.status,
          startedAt: event.started_at,
          finishedAt: event.finished_at,
          durationSeconds: event.duration_seconds,
          rowsAffected: event.rows_affected,
          message: event.message,
          thread: event.thread,
          timing: event.timing,
          adapterResponse: event.adapter_response,
          failures: event.failures,
          relationName: event.relation_name,
        });
      case 'ready':
      case 'warmed':
      case 'parsed':
      case 'no_message':
      case 'finished':
        return;
    }
  }

  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#store());
    return this.#flushing;
  }

  /** Stores at once where a step's part of the log begins: the part may be stored only after that. */
  async beginSection(section: { step: number; from: number }): Promise<void> {
    await this.#patiently(() => reportSection(this.#context.db, this.#lease, section));
  }

  #endStep(number: number, end: NonNullable<StepReport['end']>): void {
    this.#steps.set(number, { number, startedAt: this.#steps.get(number)?.startedAt ?? null, end });
  }

  async #addNode(node: NodeReport): Promise<void> {
    const key = `${node.step} ${node.uniqueId}`;
    if (!this.#known.has(key)) {
      if (this.#known.size >= maxNodes) return this.#warnOnce();
      this.#known.add(key);
    }
    this.#nodes.push(node);
    if (this.#nodes.length >= batchSize) await this.flush();
  }

  #warnOnce(): void {
    if (this.#isFull) return;
    this.#isFull = true;
    this.#context.log.warn({ run: this.#lease.runId, maxNodes }, 'a run reports more nodes than are kept');
  }

  async #store(): Promise<void> {
    const total = [...this.#totals.values()].reduce((sum, of) => sum + of, 0);
    const report = {
      steps: [...this.#steps.values()],
      invocations: this.#invocations,
      nodes: this.#nodes,
      nodesTotal: this.#totalChanged ? total : null,
    };
    this.#nodes = [];
    this.#invocations = [];
    this.#steps = new Map();
    this.#totalChanged = false;
    await this.#patiently(() => reportProgress(this.#context, this.#lease, report));
  }

  async #patiently(work: () => Promise<void>): Promise<void> {
    await patiently(work, { forMs: Infinity, signal: this.#letGo });
  }
}
