import { environments, jobs, projects } from './completion/names.ts';

/** Options of several commands. */
export const projectOption = {
  about: 'name or id; that of dctl.json, or the only one, when left out',
  value: 'PROJECT',
  short: 'p',
  completes: projects,
} as const;

export const environmentOption = {
  about: 'name or id; production, or the only one, when left out',
  value: 'ENVIRONMENT',
  short: 'e',
  completes: environments,
} as const;

export const jobArgument = { about: "the job's name or id, or PROJECT/JOB", completes: jobs } as const;

export const waitOptions = {
  wait: { about: 'stay until the run has ended; the exit code says how', short: 'w' },
  follow: { about: 'stay, and show the log as it is written', short: 'f' },
  cancelOnInterrupt: { about: 'Ctrl-C or SIGTERM while waiting cancels the run' },
} as const;
