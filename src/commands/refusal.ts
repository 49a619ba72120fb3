/** Why a command is refused. */
export interface Refusal {
  accepted: false;
  /** Zero-based UTF-16 offset into the text that was checked; its length when something is missing at the end. */
  position: number;
  /** One sentence that says what is wrong and what to write instead; safe to show and to log. */
  detail: string;
}

export function refuse(position: number, detail: string): Refusal {
  return { accepted: false, position, detail };
}

const maxShownLength = 40;

/** A word of the caller, short enough to stand inside a sentence. Only for text that passed the character check. */
export function shown(word: string): string {
  const characters = [...word];
  if (characters.length <= maxShownLength) return `"${word}"`;
  return `"${characters.slice(0, maxShownLength).join('')}…"`;
}

/** The candidate the caller most likely meant, or nothing when none is near. */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > maxShownLength) return undefined;
  const wanted = word.toLowerCase();
  const isBeginning = wanted.replace(/^-+/, '').length >= 3;
  let best: string | undefined;
  let bestDistance = wanted.length < 5 ? 2 : 3;
  for (const candidate of candidates) {
    const distance = isBeginning && candidate.startsWith(wanted) ? 1 : editDistance(wanted, candidate);
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** Letters to insert, drop or exchange to get from one word to the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const exchanged = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(exchanged, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
