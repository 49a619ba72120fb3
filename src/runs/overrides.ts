import { name, wholeNumber } from '../commands/values.ts';
import { storedConnection } from '../environments/connection.ts';
import type { EnvironmentSettings } from '../environments/environment-settings.ts';
import { invalidField } from '../errors.ts';
import type { JobToRun } from '../jobs/job-to-run.ts';
import type { RunOverrides } from './schema.ts';

const maxSteps = 20;
const isThreads = wholeNumber(1, 128);

/**
 * What was asked for one run, null when that is nothing. Throws for what a run of the job cannot do. Commands are looked
 * at where they are read.
 */
export function acceptOverrides(job: JobToRun, overrides: RunOverrides | undefined): RunOverrides | null {
  if (overrides === undefined || Object.values(overrides).every((each) => each === null)) return null;
  const { steps, target, threads, timeoutSeconds, schema } = overrides;
  if (job.projectType !== 'dbt') refuseAll(job, overrides);
  if (steps !== null && (steps.length === 0 || steps.length > maxSteps)) {
    throw invalidField('/steps_override', `Send 1 to ${maxSteps} commands, or leave steps_override out.`);
  }
  refuse('/target_name_override', target === null ? undefined : name(target));
  refuse('/threads_override', threads === null ? undefined : isThreads(String(threads)));
  const most = job.environment.timeoutSeconds ?? maxTimeoutSeconds;
  const problem = timeoutSeconds === null ? undefined : wholeNumber(1, most)(String(timeoutSeconds));
  refuse('/timeout_seconds_override', problem);
  refuse('/schema_override', schema === null ? undefined : plainSchema(schema));
  withSchema(job.environment, schema);
  return overrides;
}

/**
 * dbt puts it between quotes in its own SQL without looking at it: whoever may trigger a job must not bring SQL along. An
 * environment's own schema is for those who may change that.
 */
function plainSchema(schema: string): string | undefined {
  if (/^[\p{L}_][\p{L}\p{Nd}_$-]{0,127}$/u.test(schema)) return undefined;
  return 'must be a plain name of letters, digits, underscores, hyphens and $';
}

/** Longer than this no job takes either. */
const maxTimeoutSeconds = 604_800;

/** The environment with another schema (or dataset) in its connection. Null: its own. */
export function withSchema(environment: EnvironmentSettings, schema: string | null): EnvironmentSettings {
  if (schema === null) return environment;
  const { connection } = environment;
  if (connection === null) {
    const detail = `schema_override works in an environment with a connection, and "${environment.name}" has none: its project brings its own profiles.yml. Give it a connection, or leave schema_override out.`;
    throw invalidField('/schema_override', detail);
  }
  const field = connection['type'] === 'bigquery' ? 'dataset' : 'schema';
  const changed = storedConnection.safeParse({ ...connection, [field]: schema });
  if (changed.success) return { ...environment, connection: changed.data };
  throw invalidField('/schema_override', `The schema can't be used: ${changed.error.issues[0]?.message}.`);
}

function refuse(pointer: string, problem: string | undefined): void {
  if (problem !== undefined) throw invalidField(pointer, `${pointer.slice(1)} ${problem}.`);
}

/** Those that only dbt knows. */
const fieldOf = {
  steps: 'steps_override',
  schema: 'schema_override',
  target: 'target_name_override',
  threads: 'threads_override',
  generateDocs: 'generate_docs_override',
} as const satisfies Partial<Record<keyof RunOverrides, string>>;

function refuseAll({ projectType }: JobToRun, overrides: RunOverrides): void {
  for (const [override, field] of Object.entries(fieldOf)) {
    const wanted = overrides[override as keyof typeof fieldOf];
    // No docs are what it does anyway.
    if (wanted === null || wanted === false) continue;
    const detail = `${field} is only available for dbt projects, and this one's type is ${projectType}: leave it out.`;
    throw invalidField(`/${field}`, detail);
  }
}
