import type { Context } from '../src/context.ts';
import type { Lease } from '../src/runs/lease.ts';
import {
  reportNodes,
  reportSection,
  reportSteps,
  reportTotal,
  type NodeReport,
  type StepReport,
} from '../src/runs/progress.ts';
import type { ShimEvent } from './dbt/protocol.ts';

/** So many reports are stored in one statement, and so many may wait for it. */
const batchSize = 500;
/** Of a run. Project code can report nodes that no project has. */
const maxNodes = 20_000;

/** Gathers what is reported of a run's steps and their nodes, and stores it in a few statements a flush. */
export class ProgressWriter {
  readonly #context: Pick<Context, 'db' | 'log'>;
  readonly #lease: Lease;
  readonly #stepCount: number;
  readonly #known = new Set<string>();
  #isFull = false;
  #nodes: NodeReport[] = [];
  /** Those that changed since the last flush. */
  #steps = new Map<number, StepReport>();
  readonly #totals = new Map<number, number>();
  #totalChanged = false;
  #flushing: Promise<void> = Promise.resolve();

  constructor(context: Pick<Context, 'db' | 'log'>, lease: Lease, stepCount: number) {
    this.#context = context;
    this.#lease = lease;
    this.#stepCount = stepCount;
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
      case 'node_started':
        return this.#addNode({
          step: event.step,
          uniqueId: event.unique_id,
          resourceType: event.resource_type,
          status: 'started',
          startedAt: event.started_at,
          finishedAt: null,
          durationSeconds: null,
          rowsAffected: null,
          message: null,
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
        });
      case 'ready':
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
    await reportSection(this.#context.db, this.#lease, section);
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
    const { db } = this.#context;
    const [nodes, steps, totalChanged] = [this.#nodes, [...this.#steps.values()], this.#totalChanged];
    this.#nodes = [];
    this.#steps = new Map();
    this.#totalChanged = false;
    await reportSteps(db, this.#lease, steps);
    if (totalChanged) {
      const total = [...this.#totals.values()].reduce((sum, of) => sum + of, 0);
      await reportTotal(db, this.#lease, total);
    }
    await reportNodes(db, this.#lease, nodes);
  }
}
