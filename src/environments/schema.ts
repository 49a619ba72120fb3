import { z } from 'zod';
import { listOf } from '../paging.ts';
import { id, name, text } from '../text.ts';
import { connectionForm } from './connection.ts';
import { variableName, variableNameProblem } from './variable-names.ts';

export const environmentsParams = z.object({ project_id: id });
export const environmentParams = z.object({ project_id: id, environment_id: id });
/** Whether the name may be one is judged where it is set: a name that is not there is not found. */
export const secretParams = environmentParams.extend({
  name: text(200).min(1).meta({ pattern: variableName.source }),
});

/** A process starts with all of its variables at once, and Linux sets a limit to that. */
const maxVariables = 100;
const maxValueBytes = 32 * 1024;
const maxVariablesBytes = 128 * 1024;

/** A network the run's container joins: a Docker network, or none. Never the host's. */
const network = text(64).regex(
  /^(?!(host|container|bridge|default)$)[a-zA-Z0-9][\w.-]*$/,
  'write "none" or the name of a Docker network made for runs',
);

const variableValue = text(maxValueBytes).refine(
  (value) => Buffer.byteLength(value) <= maxValueBytes,
  `shorten the value to at most ${maxValueBytes} bytes`,
);

const envVars = z.record(z.string(), variableValue).superRefine((variables, context) => {
  for (const variable of Object.keys(variables)) {
    const problem = variableNameProblem(variable);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem, path: [variable] });
  }
  if (Object.keys(variables).length > maxVariables) {
    context.addIssue({ code: 'custom', message: `keep at most ${maxVariables} variables` });
  }
  if (Buffer.byteLength(Object.entries(variables).flat().join('')) > maxVariablesBytes) {
    context.addIssue({ code: 'custom', message: `keep at most ${maxVariablesBytes} bytes of variables` });
  }
});

const settings = z.strictObject({
  name,
  runner_image: text(300)
    .regex(/^[a-z0-9][\w./:@-]*$/i, 'write an image name such as registry.example.com/dbt:1.11')
    .nullable(),
  target: text(100)
    .regex(/^[A-Za-z0-9_][\w.-]*$/, 'write the name of a target such as prod')
    .nullable()
    .meta({ description: "One of the project's own profile; with a connection, what the target is called" }),
  threads: z.int().min(1).max(256).nullable(),
  env_vars: envVars.meta({ description: "dbt's environment variables. A change replaces them all." }),
  timeout_seconds: z.int().min(1).max(604_800).nullable().meta({ description: 'No run in it takes longer' }),
  memory_mb: z.int().min(64).max(1_048_576).nullable(),
  cpus: z.number().min(0.1).max(512).nullable(),
  network: network.nullable(),
  has_data_volume: z.boolean().meta({ description: 'Whether its runs share a disk at /data' }),
  connection: connectionForm.nullable().meta({
    description: 'Where the warehouse is, for a generated profile; null: the project brings its profiles.yml',
  }),
});

export const newEnvironment = settings.partial().required({ name: true });
export const environmentChange = settings.partial();

export const environmentView = z
  .object({
    id: z.string(),
    project_id: z.string(),
    name: z.string(),
    runner_image: z.string().nullable(),
    target: z.string().nullable(),
    threads: z.number().int().nullable(),
    env_vars: z.record(z.string(), z.string()),
    timeout_seconds: z.number().int().nullable(),
    memory_mb: z.number().int().nullable(),
    cpus: z.number().nullable(),
    network: z.string().nullable(),
    has_data_volume: z.boolean(),
    connection: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'Its passwords, keys and tokens are shown as ***' }),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Environment', description: "What dbt is run with. null means the server's default." });

export const environmentList = listOf(environmentView);

export const secretValue = z.strictObject({
  value: variableValue.min(1, 'write a value, or delete the secret'),
});

export const secretView = z
  .object({ name: z.string(), updated_at: z.iso.datetime(), updated_by: z.string() })
  .meta({ id: 'EnvironmentSecret', description: 'Its value is never shown' });

export const secretList = listOf(secretView);

export type NewEnvironment = z.output<typeof newEnvironment>;
export type EnvironmentChange = z.output<typeof environmentChange>;
