import type { DctlClient, NodeResult } from '../../client/index.ts';
import { allOf } from '../find/take.ts';

export function nodesOf(client: DctlClient, runId: string): Promise<NodeResult[]> {
  return allOf(client.items('listRunNodes', { path: { run_id: runId }, query: { limit: 200 } }));
}

/** `model.jaffle_shop.orders` -> `orders`; a generated test's name ends in a hash that tells a reader nothing. */
export function nameOfNode({ unique_id: id }: NodeResult): string {
  return id.split('.')[2] ?? id;
}
