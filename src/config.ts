import { hostname } from 'node:os';
import { z } from 'zod';
import { parseCidrs } from './addresses.ts';

const seconds = (otherwise: number) => z.coerce.number().positive().default(otherwise);
const count = (otherwise: number) => z.coerce.number().int().positive().default(otherwise);

/** Every setting of both processes. Each is read once, from the environment, when a process starts. */
const settings = z.object({
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, 'write a postgres:// address'),
  DCTL_DATABASE_CONNECTIONS: count(10),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'write a redis:// address')
    .optional(),
  DCTL_HOST: z.string().default('127.0.0.1'),
  DCTL_PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  DCTL_SECRET_KEY: z
    .string()
    .refine((text) => Buffer.from(text, 'base64').length === 32, 'write 32 random bytes in base64'),
  DCTL_STORAGE_DIR: z.string().min(1),
  DCTL_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),

  DCTL_MAX_BODY_BYTES: count(1024 * 1024),
  DCTL_MAX_DEPLOYMENT_BYTES: count(256 * 1024 * 1024),
  DCTL_MAX_UNPACKED_BYTES: count(1024 * 1024 * 1024),
  DCTL_MAX_DEPLOYMENT_FILES: count(50_000),

  DCTL_WORKER_NAME: z.string().default(`${hostname()}-${process.pid}`),
  DCTL_WORKER_CONCURRENCY: count(4),
  DCTL_LEASE_SECONDS: seconds(30),
  DCTL_SWEEP_SECONDS: seconds(5),
  DCTL_CANCEL_GRACE_SECONDS: seconds(10),
  DCTL_DRAIN_SECONDS: seconds(8),

  DOCKER_HOST: z.string().optional(),
  DCTL_ENGINE_PATIENCE_SECONDS: seconds(10),
  DCTL_RUNNER_IMAGE: z.string().min(1).default('dctl-runner:latest'),
  DCTL_RUNNER_RUNTIME: z.string().optional(),
  DCTL_RUN_MEMORY_MB: count(2048),
  DCTL_RUN_CPUS: z.coerce.number().positive().default(2),
  DCTL_RUN_PIDS: count(256),
  DCTL_RUN_NETWORK: z.string().min(1).default('dctl-runs'),
  DCTL_MAX_LOG_BYTES: count(20 * 1024 * 1024),
  DCTL_MAX_ARTIFACT_BYTES: count(1024 * 1024 * 1024),

  DCTL_WEBHOOK_ALLOW_CIDRS: z
    .string()
    .default('')
    .transform((text, issues) => {
      try {
        return parseCidrs(text);
      } catch (error) {
        issues.addIssue(error instanceof Error ? error.message : 'write ranges such as 10.0.0.0/8');
        return z.NEVER;
      }
    }),
  DCTL_WEBHOOK_TIMEOUT_SECONDS: seconds(10),
  DCTL_WEBHOOK_RETRY_SECONDS: seconds(2),
});

export type Config = z.infer<typeof settings>;

/** Reads the settings. Throws one Error that names everything that is wrong, never a value. */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = settings.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`These settings are not right:\n${problems.join('\n')}`);
}
