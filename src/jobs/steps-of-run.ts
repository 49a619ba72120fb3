import { optionsOf } from '../commands/parse-options.ts';
import { valueOf, withOption, type Step } from '../commands/with-option.ts';
import type { EnvironmentSettings } from '../environments/environment-settings.ts';

/** How a job has its commands run. A null: as its environment says. */
export interface JobManner {
  target: string | null;
  threads: number | null;
  generateDocs: boolean;
  generateSources: boolean;
}

export const usualManner: JobManner = {
  target: null,
  threads: null,
  generateDocs: false,
  generateSources: false,
};

/** Stale sources are news, and no reason to leave out what was asked for. */
const sourceFreshness: Step = {
  command: 'dbt source freshness',
  argv: ['source', 'freshness'],
  mayFail: true,
};
const docsGenerate: Step = { command: 'dbt docs generate', argv: ['docs', 'generate'] };

/**
 * All that a run of these commands does, in its order and as its program is told. What is prepared for runs to come is
 * prepared for the same words.
 */
export function stepsOfRun(commands: Step[], manner: JobManner): Step[] {
  const steps = [
    ...(manner.generateSources ? [sourceFreshness] : []),
    ...commands,
    ...(manner.generateDocs ? [docsGenerate] : []),
  ];
  return steps.map((step) => inManner(step, manner));
}

/** One command as the job's settings want it, unless it says itself how it is to run. */
export function inManner(step: Step, { target, threads }: Pick<JobManner, 'target' | 'threads'>): Step {
  return withOption(withOption(step, '--target', target), '--threads', threads);
}

/** The environment as a run of these steps has it: the target they name is the one there is, if a profile is generated. */
export function environmentOfSteps(environment: EnvironmentSettings, steps: Step[]): EnvironmentSettings {
  const argvs = steps.map(({ argv }) => argv);
  return withTargetOf(environment, optionsOf(argvs) ?? argvs.flat());
}

/** The same for the options that something is prepared for. */
export function withTargetOf(
  environment: EnvironmentSettings,
  options: readonly string[],
): EnvironmentSettings {
  const target = valueOf(options, '--target');
  return environment.connection === null || target === null ? environment : { ...environment, target };
}
