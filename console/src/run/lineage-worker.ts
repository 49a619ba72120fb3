import { graphOf, type Graph, type Manifest } from './lineage-graph.ts';

export interface GraphRequest {
  /** Stands in its answer. */
  number: number;
  /** Where the manifest is, and what to ask for it with. */
  url: string;
  headers: Record<string, string>;
  only: string[] | null;
}

export type GraphAnswer = { number: number } & ({ graph: Graph } | { problem: string });

/** The manifest that was read last: a run that goes on asks again and again. */
let last: { url: string; manifest: Promise<Manifest> } | undefined;

/** Off the page's own thread: the manifest of a thousand models takes a while to read. */
addEventListener('message', ({ data }: MessageEvent<GraphRequest>) => {
  void answer(data).then((each) => postMessage(each));
});

async function answer({ number, url, headers, only }: GraphRequest): Promise<GraphAnswer> {
  if (last?.url !== url) last = { url, manifest: read(url, headers) };
  try {
    return { number, graph: graphOf(await last.manifest, only) };
  } catch (error) {
    last = undefined;
    return { number, problem: error instanceof Error ? error.message : String(error) };
  }
}

async function read(url: string, headers: Record<string, string>): Promise<Manifest> {
  const response = await fetch(url, { headers });
  const body = (await response.json()) as Manifest & { detail?: string };
  if (response.ok) return body;
  throw new Error(body.detail ?? `The server answered ${response.status}.`);
}
