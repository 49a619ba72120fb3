import { runs } from '../completion/names.ts';
import type { Run } from '../../client/index.ts';
import { UsageError } from '../failure.ts';
import type { Shell } from '../shell.ts';
import { allProjects, pick, projectNamed } from './project.ts';

/** What a command that takes a run says of it. */
export const runArgument = { about: "a run's id, or latest", completes: runs } as const;

/** A run by its id. `latest`: the newest, of the project that is meant where one is. */
export async function findRun(shell: Shell, wanted: string, projectOption: string | undefined): Promise<Run> {
  const client = shell.client();
  if (wanted !== 'latest') return client.call('getRun', { path: { run_id: wanted } });
  const named = projectOption ?? projectNamed(shell, shell.folder);
  const filter = named === undefined ? {} : { project_id: pick(await allProjects(client), named).id };
  const { data } = await client.call('listRuns', { query: { limit: 1, ...filter } });
  if (data[0] === undefined) throw new UsageError('There are no runs yet: dctl trigger JOB starts one.');
  return data[0];
}
