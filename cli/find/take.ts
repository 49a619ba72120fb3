/** The first of what comes, as a list. */
export async function take<Item>(most: number, items: AsyncIterable<Item>): Promise<Item[]> {
  const taken: Item[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length >= most) break;
  }
  return taken;
}

export function allOf<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  return take(Infinity, items);
}
