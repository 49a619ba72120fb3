import { placeInLayers } from './layered-layout.ts';

/** What there is of a manifest that a graph needs. Other people's files: all of it may be missing. */
export interface Manifest {
  nodes?: Record<string, ManifestNode | undefined>;
  sources?: Record<string, ManifestNode | undefined>;
  unit_tests?: Record<string, ManifestNode | undefined>;
  parent_map?: Record<string, string[] | undefined>;
}

interface ManifestNode {
  resource_type?: string;
  attached_node?: string | null;
  depends_on?: { nodes?: string[] };
}

export interface GraphNode {
  id: string;
  type: string;
  x: number;
  y: number;
  /** The tests of it, by their ids. */
  tests: string[];
}

export interface Graph {
  nodes: GraphNode[];
  /** From and to, by place in `nodes`. */
  edges: [number, number][];
  width: number;
  height: number;
}

export const box = { width: 200, height: 28, columnWidth: 270, rowHeight: 38 };

const drawn = new Set(['model', 'seed', 'snapshot', 'source']);
const tests = new Set(['test', 'unit_test']);

/**
 * The graph of a project's data, tests folded into what they test. `only`: of those nodes and what they test, with the
 * sources they read. null: of all.
 */
export function graphOf(manifest: Manifest, only: string[] | null): Graph {
  const known = new Map(
    Object.entries({ ...manifest.sources, ...manifest.nodes, ...manifest.unit_tests }).flatMap(
      ([id, node]) => (node === undefined || node === null ? [] : [[id, node] as const]),
    ),
  );
  const typeOf = (id: string) => known.get(id)?.resource_type ?? id.slice(0, id.indexOf('.'));
  const testsOf = new Map<string, string[]>();
  for (const [id, node] of known) {
    if (!tests.has(typeOf(id))) continue;
    const tested = node.attached_node ?? node.depends_on?.nodes?.findLast((each) => drawn.has(typeOf(each)));
    if (tested !== undefined) testsOf.set(tested, [...(testsOf.get(tested) ?? []), id]);
  }
  const parentsOf = (id: string) => manifest.parent_map?.[id] ?? known.get(id)?.depends_on?.nodes ?? [];

  const wanted = new Set(only ?? known.keys());
  const ids = new Set(
    [...known.keys()].filter(
      (id) =>
        drawn.has(typeOf(id)) &&
        (wanted.has(id) || testsOf.get(id)?.some((test) => wanted.has(test)) === true),
    ),
  );
  for (const id of ids)
    for (const parent of parentsOf(id)) if (typeOf(parent) === 'source' && known.has(parent)) ids.add(parent);

  const places = new Map([...ids].map((id, place) => [id, place]));
  const edges = [...ids].flatMap((id) =>
    [...new Set(parentsOf(id))].flatMap((parent): [number, number][] => {
      const from = places.get(parent);
      return from === undefined || parent === id ? [] : [[from, places.get(id)!]];
    }),
  );
  const { x, y, width, height } = placeInLayers(ids.size, edges, box);
  return {
    nodes: [...ids].map((id, place) => ({
      id,
      type: typeOf(id),
      x: x[place]!,
      y: y[place]!,
      tests: testsOf.get(id) ?? [],
    })),
    edges,
    width: width - (box.columnWidth - box.width),
    height,
  };
}
