/** The first of what comes, as a list. */
export async function take<Item>(most: number, items: AsyncIterable<Item>): Promise<Item[]> {
  const taken: Item[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length >= most) break;
  }
  return taken;
}

/** As many as --limit says: asked for in pages that are no larger than the server gives. */
export function newest<Item>(
  limit: number | undefined = 20,
  items: (page: { limit: number }) => AsyncIterable<Item>,
): Promise<Item[]> {
  return take(limit, items({ limit: Math.min(limit, 200) }));
}

export function allOf<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  return take(Infinity, items);
}
