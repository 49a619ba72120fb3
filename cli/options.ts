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
  about: 'maximum number of rows (20)',
  value: 'N',
  short: 'n',
  parse: wholeNumber(1, 100_000),
} as const;

export const yesOption = { about: 'do not ask for confirmation', short: 'y' } as const;

export const jobArgument = { about: "the job's name or id, or PROJECT/JOB", completes: jobs } as const;

/** Of what takes a run: it matters to `latest` alone. */
export const runProjectOption = {
  ...projectOption,
  about: 'the project that latest looks in; that of dctl.json, or all, when left out',
} as const;

export const waitOptions = {
  wait: { about: 'wait for the run to end; the exit code is its result', short: 'w' },
  follow: { about: 'wait, and show the log as it is written', short: 'f' },
  cancelOnInterrupt: { about: 'cancel the run on Ctrl-C or SIGTERM while waiting' },
} as const;
