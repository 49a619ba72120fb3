import type { Job, Project } from '../../client/index.ts';
import { UsageError } from '../failure.ts';
import type { Shell } from '../shell.ts';
import { suggestion } from '../suggest.ts';
import { allProjects, findProject, namesOf, pick, projectNamed } from './project.ts';
import { allOf } from './take.ts';

export interface FoundJob {
  project: Project;
  job: Project['jobs'][number];
  /** As the paths of the API name it. */
  path: { project_id: string; job_id: string };
}

/** A job by its id, its name, or PROJECT/JOB. A name counts in the project that is meant, or in all of them. */
export async function findJob(
  shell: Shell,
  wanted: string,
  projectOption: string | undefined,
): Promise<FoundJob> {
  const projects = await allProjects(shell.client());
  const all = projects.flatMap((project) => project.jobs.map((job) => ({ project, job })));
  const byId = all.find(({ job }) => job.id === wanted);
  if (byId !== undefined) return found(byId);

  const byPath = all.find(({ project, job }) =>
    [`${project.name}/${job.name}`, `${project.id}/${job.name}`].includes(wanted),
  );
  if (byPath !== undefined) return found(byPath);

  const named = projectOption ?? projectNamed(shell, shell.folder);
  const within = named === undefined ? projects : [pick(projects, named)];
  const matches = all.filter(({ project, job }) => within.includes(project) && job.name === wanted);
  const [match, ...others] = matches;
  if (match === undefined) throw new UsageError(nothingFound(wanted, within));
  if (others.length === 0) return found(match);
  const paths = matches.map(({ project, job }) => ({ name: `${project.name}/${job.name}` }));
  throw new UsageError(`Several projects have a job ${wanted}. Give one of: ${namesOf(paths)}.`);
}

function found({ project, job }: Omit<FoundJob, 'path'>): FoundJob {
  return { project, job, path: { project_id: project.id, job_id: job.id } };
}

function nothingFound(wanted: string, within: Project[]): string {
  const jobs = within.flatMap((project) => project.jobs);
  const [only, ...others] = within;
  const place = only !== undefined && others.length === 0 ? ` in ${only.name}` : '';
  const close = suggestion(
    wanted,
    jobs.map(({ name }) => name),
  );
  return `There is no job ${wanted}${place}.${close || ` There are: ${namesOf(jobs) || 'none'}.`}`;
}

/** All jobs of the project that is meant, or of all projects, with all that is set of them. */
export async function jobsWithin(
  shell: Shell,
  projectOption: string | undefined,
): Promise<{ job: Job; project: Project }[]> {
  const client = shell.client();
  const named = projectOption ?? projectNamed(shell, shell.folder);
  const projects = named === undefined ? await allProjects(client) : [await findProject(shell, named)];
  const query = { limit: 200 };
  const byProject = projects.map(async (project) => {
    const all = await allOf(client.items('listJobs', { path: { project_id: project.id }, query }));
    return all.map((job) => ({ job, project }));
  });
  return (await Promise.all(byProject)).flat();
}
