export interface Placed {
  /** Of each node, its middle on the left. */
  x: number[];
  y: number[];
  width: number;
  height: number;
}

const sweeps = 10;
/** The picture is about so many times as wide as it is high. */
const proportion = 2.2;

/**
 * Places a graph in layers from left to right: each node to the right of all it comes of, near those it is joined with.
 * A layer of more nodes than fit below each other takes several columns. Linear in nodes and edges, so that a thousand
 * take milliseconds. `edges`: from and to, by number. What is in a circle stands in the first layer.
 */
export function placeInLayers(
  count: number,
  edges: [number, number][],
  { columnWidth, rowHeight }: { columnWidth: number; rowHeight: number },
): Placed {
  const parents = Array.from({ length: count }, (): number[] => []);
  const children = Array.from({ length: count }, (): number[] => []);
  for (const [from, to] of edges) {
    children[from]!.push(to);
    parents[to]!.push(from);
  }
  const layerOf = layersOf(count, parents, children);
  const layers: number[][] = [];
  for (let node = 0; node < count; node += 1) (layers[layerOf[node]!] ??= []).push(node);

  const mostRows = Math.max(16, Math.ceil(Math.sqrt((count * columnWidth) / rowHeight / proportion)));
  const columnsOf = (layer: number[]) => Math.ceil(layer.length / mostRows);
  // Those that will stand beside each other share a row's height.
  const apartIn = (layer: number[]) => rowHeight / columnsOf(layer);

  const y = Array.from({ length: count }, () => 0);
  for (const layer of layers) spread(layer, y, apartIn(layer));
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    const goesRight = sweep % 2 === 0;
    const order = goesRight ? layers : layers.toReversed();
    for (const layer of order) settle(layer, y, goesRight ? parents : children, apartIn(layer));
  }

  const x = Array.from({ length: count }, () => 0);
  let width = 0;
  for (const layer of layers) {
    const columns = columnsOf(layer);
    for (let first = 0; first < layer.length; first += columns) {
      const row = layer.slice(first, first + columns);
      const middle = middleOf(row, y)!;
      for (const [place, node] of row.entries()) {
        x[node] = width + place * columnWidth * 0.85;
        y[node] = middle;
      }
    }
    width += (columns - 1) * columnWidth * 0.85 + columnWidth;
  }
  const top = y.reduce((least, each) => Math.min(least, each), Infinity);
  const bottom = y.reduce((most, each) => Math.max(most, each), -Infinity);
  return {
    x,
    y: y.map((each) => each - top + rowHeight / 2),
    width,
    height: count === 0 ? 0 : bottom - top + rowHeight,
  };
}

function layersOf(count: number, parents: number[][], children: number[][]): number[] {
  const layer = Array.from({ length: count }, () => 0);
  const open = parents.map(({ length }) => length);
  const ready = [...open.keys()].filter((node) => open[node] === 0);
  for (const node of ready) {
    for (const child of children[node]!) {
      layer[child] = Math.max(layer[child]!, layer[node]! + 1);
      open[child]! -= 1;
      if (open[child] === 0) ready.push(child);
    }
  }
  // What comes of nothing stands beside what first needs it.
  for (const [node, its] of parents.entries()) {
    if (its.length > 0 || children[node]!.length === 0) continue;
    layer[node] = Math.max(0, Math.min(...children[node]!.map((child) => layer[child]!)) - 1);
  }
  return layer;
}

function spread(layer: number[], y: number[], rowHeight: number): void {
  for (const [place, node] of layer.entries()) y[node] = (place - (layer.length - 1) / 2) * rowHeight;
}

/** Moves each node of a layer to the middle of those it is joined with on one side, without one upon the other. */
function settle(layer: number[], y: number[], joined: number[][], rowHeight: number): void {
  const wanted = new Map(layer.map((node) => [node, middleOf(joined[node]!, y) ?? y[node]!]));
  layer.sort((a, b) => wanted.get(a)! - wanted.get(b)!);
  let before = -Infinity;
  let moved = 0;
  for (const node of layer) {
    const at = Math.max(wanted.get(node)!, before + rowHeight);
    moved += at - wanted.get(node)!;
    y[node] = before = at;
  }
  for (const node of layer) y[node]! -= moved / layer.length;
}

function middleOf(nodes: number[], y: number[]): number | null {
  if (nodes.length === 0) return null;
  return nodes.reduce((sum, node) => sum + y[node]!, 0) / nodes.length;
}
