import { environments, jobs, projects } from './completion/names.ts';
import { wholeNumber } from './values.ts';

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

/** Of a list that may be long. */
export const limitOption = {
  about: 'so many at most (20)',
  value: 'N',
  short: 'n',
  parse: wholeNumber(1, 100_000),
} as const;

export const yesOption = { about: 'without asking', short: 'y' } as const;

export const jobArgument = { about: "the job's name or id, or PROJECT/JOB", completes: jobs } as const;

export const waitOptions = {
  wait: { about: 'stay until the run has ended; the exit code says how', short: 'w' },
  follow: { about: 'stay, and show the log as it is written', short: 'f' },
  cancelOnInterrupt: { about: 'Ctrl-C or SIGTERM while waiting cancels the run' },
} as const;
