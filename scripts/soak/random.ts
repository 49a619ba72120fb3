import { createHash } from 'node:crypto';

/** Numbers that look random and are the same for the same seed and name. */
export interface Random {
  /** From 0 up to, and without, 1. */
  next(): number;
  between(low: number, high: number): number;
  isHit(probability: number): boolean;
  pick<Thing>(things: readonly Thing[]): Thing;
}

export function randomOf(seed: number, name: string): Random {
  // Mulberry32: a few lines, and good enough to choose what is killed next.
  let state = createHash('sha256').update(`${seed} ${name}`).digest().readUInt32LE();
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (low, high) => low + next() * (high - low),
    isHit: (probability) => next() < probability,
    pick: (things) => things[Math.floor(next() * things.length)]!,
  };
}
