import { z } from 'zod';

/**
 * What a run keeps of its environment, so that a later change never changes it. Secrets are not among it: they are read
 * when the run's container starts. A null means the server's default.
 */
export const environmentSettings = z.object({
  id: z.string(),
  name: z.string(),
  runnerImage: z.string().nullable(),
  memoryMb: z.number().nullable(),
  cpus: z.number().nullable(),
  network: z.string().nullable(),
  target: z.string().nullable(),
  threads: z.number().nullable(),
  timeoutSeconds: z.number().nullable(),
  hasDataVolume: z.boolean(),
  envVars: z.record(z.string(), z.string()),
  /** Where the warehouse is, for a generated profile; null: the project brings its own. */
  connection: z.record(z.string(), z.unknown()).nullable(),
});

export type EnvironmentSettings = z.output<typeof environmentSettings>;

/** Of a stored environment. */
export function settingsOf(stored: { [Field in keyof EnvironmentSettings]: unknown }): EnvironmentSettings {
  return environmentSettings.parse(stored);
}
