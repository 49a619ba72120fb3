import type { Context } from '../src/context.ts';
import type { Lease } from '../src/runs/lease.ts';
import { reportNodes, reportTotal, type NodeReport } from '../src/runs/progress.ts';
import type { ShimEvent } from './dbt/protocol.ts';

/** So many reports are stored in one statement, and so many may wait for it. */
const batchSize = 500;
/** Of a run. Project code can report nodes that no project has. */
const maxNodes = 20_000;

/** Gathers what dbt reports of its nodes and stores it in one statement a flush. */
export class ProgressWriter {
  readonly #context: Pick<Context, 'db' | 'log'>;
  readonly #lease: Lease;
  readonly #known = new Set<string>();
  #isFull = false;
  #nodes: NodeReport[] = [];
  #total: number | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(context: Pick<Context, 'db' | 'log'>, lease: Lease) {
    this.#context = context;
    this.#lease = lease;
  }

  /** Waits for the database while a whole batch is waiting: it must be awaited, or nothing bounds what is held. */
  async add(event: ShimEvent): Promise<void> {
    switch (event.event) {
      case 'nodes_total':
        this.#total = event.total;
        return;
      case 'node_started':
        return this.#addNode({
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

  async #addNode(node: NodeReport): Promise<void> {
    if (!this.#known.has(node.uniqueId)) {
      if (this.#known.size >= maxNodes) return this.#warnOnce();
      this.#known.add(node.uniqueId);
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
    const [nodes, total] = [this.#nodes, this.#total];
    this.#nodes = [];
    this.#total = undefined;
    if (total !== undefined) await reportTotal(this.#context.db, this.#lease, total);
    await reportNodes(this.#context.db, this.#lease, nodes);
  }
}
