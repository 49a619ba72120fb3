/** A series of measurements in a few numbers. */
export interface Spread {
  count: number;
  min: number;
  p10: number;
  median: number;
  p90: number;
  p95: number;
  max: number;
}

export type Figure = Exclude<keyof Spread, 'count'>;
export type Unit = 'ms' | 's' | 'per s' | 'MB';

/** What a figure should be. It is about ours alone where it is compared with nothing. */
export interface Aim {
  /** Which figure of the spread is to be so. */
  figure: Figure;
  atMost?: number;
  atLeast?: number;
}

/** One line of the table. */
export interface Line {
  id: string;
  what: string;
  /** What `theirs` is; null: nothing to compare with. */
  against: string | null;
  unit: Unit;
  ours: Spread;
  theirs: Spread | null;
  /** Ours divided by theirs, taken pair by pair. */
  ratio: Spread | null;
  aim: Aim | null;
  met: boolean | null;
}

/** What one part of the measurements came to. */
export interface Report {
  lines: Line[];
  /** Sentences about how it was measured. */
  notes: string[];
  /** The single measurements, in the order they were taken. */
  samples: Record<string, number[]>;
}

/** Two things measured in turns: the n-th of ours right before or after the n-th of theirs. */
export function compare(
  about: { id: string; what: string; against: string; unit: Unit; aim?: Aim },
  ours: number[],
  theirs: number[],
): Line {
  if (ours.length !== theirs.length) throw new Error(`${about.id}: not every measurement has its other half`);
  const ratio = spreadOf(ours.map((value, index) => value / theirs[index]!));
  const aim = about.aim ?? null;
  return {
    ...about,
    ours: spreadOf(ours),
    theirs: spreadOf(theirs),
    ratio,
    aim,
    met: aim === null ? null : isMet(aim, ratio),
  };
}

/** Something that is compared with nothing but its aim. */
export function alone(about: { id: string; what: string; unit: Unit; aim?: Aim }, ours: number[]): Line {
  const spread = spreadOf(ours);
  const aim = about.aim ?? null;
  const met = aim === null ? null : isMet(aim, spread);
  return { ...about, against: null, ours: spread, theirs: null, ratio: null, aim, met };
}

export function spreadOf(samples: number[]): Spread {
  return {
    count: samples.length,
    min: quantile(samples, 0),
    p10: quantile(samples, 0.1),
    median: quantile(samples, 0.5),
    p90: quantile(samples, 0.9),
    p95: quantile(samples, 0.95),
    max: quantile(samples, 1),
  };
}

/** The value below which `share` (0 to 1) of the samples lie, between the two nearest where it lies between them. */
export function quantile(samples: number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(position)], sorted[Math.ceil(position)]];
  if (below === undefined || above === undefined) throw new Error('there is nothing to take a quantile of');
  return below + (above - below) * (position - Math.floor(position));
}

export function median(samples: number[]): number {
  return quantile(samples, 0.5);
}

function isMet({ figure, atMost = Infinity, atLeast = -Infinity }: Aim, spread: Spread): boolean {
  return spread[figure] <= atMost && spread[figure] >= atLeast;
}
