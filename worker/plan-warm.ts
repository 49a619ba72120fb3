/** Somebody who is likely to run soon. */
export interface Candidate {
  /** Containers with the same key serve it. */
  key: string;
  /** How many of them it may use. 0: none is made now, and what there is stays while there is room. */
  wanted: number;
  /** What the next one for it is expected to take. */
  memoryBytes: number;
}

/** A container that waits, or is being made. */
export interface Waiting {
  key: string;
  memoryBytes: number;
  ageMs: number;
}

export interface WarmLimits {
  memoryBytes: number;
  maxAgeMs: number;
  /** One that is younger is not replaced by another that is likelier to be used: it would be made for nothing. */
  minAgeMs: number;
}

export type DropReason = 'age' | 'unneeded' | 'room';

export interface WarmPlan<Kept extends Waiting> {
  drop: { container: Kept; reason: DropReason }[];
  /** The key of the next one to make. */
  make: string | null;
}

/**
 * Which containers are to wait: one for each candidate, likeliest first, then a second one for each that may use it, and
 * so on, as far as the memory goes. `candidates`: likeliest first, each key once.
 */
export function planWarm<Kept extends Waiting>(
  candidates: Candidate[],
  waiting: Kept[],
  limits: WarmLimits,
): WarmPlan<Kept> {
  const drop: WarmPlan<Kept>['drop'] = [];
  const keys = new Set(candidates.map(({ key }) => key));
  const usable = waiting.filter((container) => {
    const reason = container.ageMs > limits.maxAgeMs ? 'age' : keys.has(container.key) ? null : 'unneeded';
    if (reason !== null) drop.push({ container, reason });
    return reason === null;
  });
  const young = usable.filter(({ ageMs }) => ageMs < limits.minAgeMs);
  let room = limits.memoryBytes - young.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  let make: string | null = null;
  for (const { candidate, container } of inOrder(candidates, usable)) {
    if (container !== null && young.includes(container)) continue;
    const { memoryBytes } = container ?? candidate;
    if (memoryBytes <= room) {
      room -= memoryBytes;
      if (container === null) make ??= candidate.key;
    } else if (container !== null) {
      drop.push({ container, reason: 'room' });
    }
  }
  return { drop, make };
}

/** The places to fill, each with the container that has it. Containers beyond what is wanted come last. */
function inOrder<Kept extends Waiting>(
  candidates: Candidate[],
  usable: Kept[],
): { candidate: Candidate; container: Kept | null }[] {
  const byKey = Map.groupBy(usable, ({ key }) => key);
  const rounds = Math.max(0, ...candidates.map(({ wanted }) => wanted));
  const places = Array.from({ length: rounds }, (_, round) =>
    candidates
      .filter(({ wanted }) => wanted > round)
      .map((candidate) => ({ candidate, container: byKey.get(candidate.key)?.[round] ?? null })),
  ).flat();
  const beyond = candidates.flatMap((candidate) =>
    (byKey.get(candidate.key) ?? []).slice(candidate.wanted).map((container) => ({ candidate, container })),
  );
  return [...places, ...beyond];
}
