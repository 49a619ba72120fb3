import type { Database } from '../src/db.ts';
import type { Lease } from '../src/runs/lease.ts';
import { reportNodes, reportTotal, type NodeReport } from '../src/runs/progress.ts';
import type { ShimEvent } from './dbt/protocol.ts';

/** Gathers what dbt reports of its nodes and stores it in one statement a flush. */
export class ProgressWriter {
  readonly #db: Database;
  readonly #lease: Lease;
  #nodes: NodeReport[] = [];
  #total: number | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(db: Database, lease: Lease) {
    this.#db = db;
    this.#lease = lease;
  }

  add(event: ShimEvent): void {
    switch (event.event) {
      case 'nodes_total':
        this.#total = event.total;
        return;
      case 'node_started':
        this.#nodes.push({
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
        return;
      case 'node_finished':
        this.#nodes.push({
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
        return;
      case 'ready':
      case 'finished':
        return;
    }
  }

  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#store());
    return this.#flushing;
  }

  async #store(): Promise<void> {
    const [nodes, total] = [this.#nodes, this.#total];
    this.#nodes = [];
    this.#total = undefined;
    if (total !== undefined) await reportTotal(this.#db, this.#lease, total);
    await reportNodes(this.#db, this.#lease, nodes);
  }
}
