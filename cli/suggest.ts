/** ` Did you mean ...?` with the closest of the known words, or the one that was begun; nothing where none is close. */
export function suggestion(written: string, known: readonly string[]): string {
  const [closest] = known
    .map((word) => ({ word, distance: distanceOf(written, word) }))
    .filter(({ word, distance }) => distance <= Math.max(1, Math.floor(word.length / 3)))
    .toSorted((a, b) => a.distance - b.distance);
  const meant =
    closest?.word ?? (written.length < 3 ? undefined : known.find((word) => word.startsWith(written)));
  return meant === undefined ? '' : ` Did you mean ${meant}?`;
}

/** How many letters have to be added, removed or replaced (Levenshtein). */
function distanceOf(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = above[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above.at(-1)!;
}
