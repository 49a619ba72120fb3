import type { ShimEvent } from './dbt/protocol.ts';
import type { Mask } from './masking.ts';

/** An event with every text that may hold a secret masked. */
export function maskEvent(event: ShimEvent, mask: Mask): ShimEvent {
  return Object.fromEntries(
    Object.entries(event).map(([name, value]) => [name, name === 'event' ? value : masked(value, mask)]),
  ) as ShimEvent;
}

/** Whatever JSON holds, the names in an object as well. */
function masked(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return mask.text(value);
  if (Array.isArray(value)) return value.map((each) => masked(each, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [mask.text(name), masked(each, mask)]),
  );
}
