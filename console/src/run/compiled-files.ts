import type { Artifact, NodeResult } from '../../../client/operations.ts';
import { nameOf } from './node-status.ts';

/**
 * The files with a node's SQL, what was compiled before what was executed. dbt names a file for its node; only those of
 * tests with long names end in a digest, and are not found.
 */
export function sqlFilesOf(node: Pick<NodeResult, 'unique_id' | 'step'>, artifacts: Artifact[]): Artifact[] {
  const [type, packageName] = node.unique_id.split('.');
  const name = nameOf(node.unique_id).replace(/\.v(\d+)$/, '_v$1');
  const folders = [`compiled/${packageName}/`, `run/${packageName}/`];
  const its = artifacts.filter(({ path, step }) => {
    const file = path.slice(path.lastIndexOf('/') + 1).replace(/\.(sql|py|csv)$/, '');
    // A test leaves a copy of what it tests as well, below a folder that is called as the .yml file is.
    const isTestsOwn = type !== 'test' && /\.ya?ml\//.test(path);
    return (
      step === node.step && file === name && !isTestsOwn && folders.some((folder) => path.startsWith(folder))
    );
  });
  return its.toSorted((a, b) => Number(a.path.startsWith('run/')) - Number(b.path.startsWith('run/')));
}

/** What run_results.json has of a node's compiled SQL. Others' file: anything may be missing. */
export function sqlIn(runResults: string, uniqueId: string): string | null {
  const { results } = JSON.parse(runResults) as {
    results?: { unique_id?: string; compiled_code?: unknown }[];
  };
  const code = results?.find(({ unique_id: id }) => id === uniqueId)?.compiled_code;
  return typeof code === 'string' && code.trim() !== '' ? code.trim() : null;
}
