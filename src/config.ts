import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { parseCidrs } from './addresses.ts';
import { roles } from './scopes.ts';

// Every setting of both processes. `description` is its line in docs/configuration.md, which is made from this file
// (`npm run docs`); `otherwise` says there what holds without it, where the default itself would not.

const foundations = {
  DATABASE_URL: z
    .string('is required')
    .regex(/^postgres(ql)?:\/\//, 'write a postgres:// address')
    .meta({ description: 'Postgres 13 or newer' }),
  DCTL_DATABASE_CONNECTIONS: count(10).meta({
    description: 'at most, of one process; its messages take a few more when there is no Redis',
  }),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'write a redis:// address')
    .optional()
    .meta({ description: 'messages travel through Redis; without it through Postgres' }),
  DCTL_SECRET_KEY: z
    .string('is required')
    .refine((text) => Buffer.from(text, 'base64').length === 32, 'write 32 random bytes in base64')
    .meta({
      description:
        '32 random bytes in base64: tokens are hashed and secrets sealed with keys derived from it. Losing it makes both useless',
    }),
  DCTL_OLD_SECRET_KEYS: z.string().default('').transform(readKeys).meta({
    description:
      'earlier values of DCTL_SECRET_KEY, separated by commas: what was made with them still works (see [keys](access.md#a-new-secret-key))',
    otherwise: 'none',
  }),
  DCTL_STORAGE_DIR: z
    .string('is required')
    .meta({ description: 'deployments and artifacts; API and workers share it' }),
};

const api = {
  DCTL_HOST: z
    .string()
    .default('127.0.0.1')
    .meta({ description: 'the address that the API listens at, and a worker with a `DCTL_WORKER_PORT`' }),
  DCTL_PORT: port().default(3000).meta({ description: 'the port that the API listens at' }),
  DCTL_TLS_CERT: filePath().optional().meta({
    description:
      "a PEM file with the server's certificate and those between it and its authority: with it and `DCTL_TLS_KEY`, `DCTL_PORT` speaks https (see [TLS](deployment.md#tls))",
  }),
  DCTL_TLS_KEY: filePath().optional().meta({ description: 'a PEM file with its key, without a passphrase' }),
  DCTL_PLAIN_PORT: port().optional().meta({ description: 'a port for http beside it' }),
  DCTL_PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'write an address such as https://dctl.example.com' })
    .transform((url) => new URL(url).origin)
    .optional()
    .meta({
      description:
        'where browsers find the server; with `https://` the session cookie is sent over https alone',
    }),
  DCTL_TRUSTED_PROXIES: z.string().default('').transform(readCidrs).meta({
    description:
      'the addresses of proxies in front of the API, such as `10.0.0.0/8`: what their `X-Forwarded-For` and `X-Forwarded-Proto` say is believed',
    otherwise: 'none',
  }),
  DCTL_RATE_PER_TOKEN: rate(3_000).meta({
    description:
      'requests a minute that one API process answers to a token or a signed-in user; more are answered 429. 0: any number',
  }),
  DCTL_RATE_PER_ADDRESS: rate(6_000).meta({
    description: 'likewise from one address, of requests that come without a valid token or session',
  }),
  DCTL_MAX_BODY_BYTES: count(1024 * 1024).meta({ description: 'of a JSON body' }),
  DCTL_MAX_DEPLOYMENT_BYTES: count(256 * 1024 * 1024).meta({ description: 'of an uploaded archive' }),
  DCTL_MAX_UNPACKED_BYTES: count(1024 * 1024 * 1024).meta({ description: 'of what it unpacks to' }),
  DCTL_MAX_DEPLOYMENT_FILES: count(50_000).meta({ description: 'files in it' }),
};

const signIn = {
  DCTL_OIDC_ISSUER: z
    .url({ protocol: /^https?$/, error: 'write an address such as https://accounts.example.com' })
    .refine(
      (url) => url.startsWith('https:') || /^(127\.[\d.]+|\[::1\]|localhost)$/.test(new URL(url).hostname),
      'write an https:// address: what goes to the provider and comes from it must not be read on the way',
    )
    .optional()
    .meta({
      description:
        'people may sign in through this OpenID provider as well (see [OpenID Connect](access.md#openid-connect)); needs `DCTL_PUBLIC_URL`',
    }),
  DCTL_OIDC_CLIENT_ID: z.string().optional().meta({ description: 'what the provider knows dctl by' }),
  DCTL_OIDC_CLIENT_SECRET: z.string().optional().meta({ description: 'and by what it believes that' }),
  DCTL_OIDC_ALLOWED_DOMAINS: z
    .string()
    .default('')
    .transform((given) =>
      given
        .toLowerCase()
        .split(/[\s,]+/)
        .filter((domain) => domain !== ''),
    )
    .meta({
      description:
        'whoever has an e-mail address of one of these domains, such as `example.com`, gets an account when they first come; others need one, or an invitation',
      otherwise: 'none',
    }),
  DCTL_OIDC_ROLE: z
    .enum(roles, 'write viewer, operator or admin')
    .default('viewer')
    .meta({ description: 'their role' }),
  DCTL_OIDC_ORGANIZATION_ID: z
    .string()
    .optional()
    .meta({ description: 'their organization', otherwise: 'the first one' }),
};

const workers = {
  DCTL_WORKER_NAME: z
    .string()
    .default(`${hostname()}-${process.pid}`)
    .meta({ description: 'shown in logs', otherwise: 'host and process id' }),
  DCTL_WORKER_CONCURRENCY: count(4).meta({ description: 'runs a worker executes at once' }),
  DCTL_LEASE_SECONDS: seconds(30).meta({ description: 'how long a silent worker keeps its run' }),
  DCTL_SWEEP_SECONDS: seconds(5).meta({ description: 'how often forgotten work is looked for' }),
  DCTL_SCHEDULE_LATE_SECONDS: seconds(60).meta({
    description: "how late a job's schedule may be: a time that passed longer ago was missed",
  }),
  DCTL_WORKER_LOST_SECONDS: seconds(300).meta({
    description:
      'when no worker is there: how long after its timeout a run that nobody takes over is ended as `error`',
  }),
  DCTL_CANCEL_GRACE_SECONDS: seconds(10).meta({ description: 'between SIGINT and SIGKILL' }),
  DCTL_DRAIN_SECONDS: seconds(8).meta({
    description: 'how long a stopping process waits for what is under way',
  }),
};

const preparing = {
  DCTL_PREPARATIONS: z.enum(['on', 'off'], 'write on or off').default('on').meta({
    description:
      '`on`, `off`: whether a deployment is prepared for its runs (see [deployments](deployments.md#what-is-prepared))',
  }),
  DCTL_PREPARE_TIMEOUT_SECONDS: seconds(600).meta({ description: 'how long that may take' }),
};

const runs = {
  DOCKER_HOST: z
    .string()
    .optional()
    .meta({ description: 'where the worker finds Docker', otherwise: 'the local engine' }),
  DCTL_ENGINE_PATIENCE_SECONDS: seconds(60).meta({
    description: 'how long a run waits for an engine that does not answer before it is `error`',
  }),
  DCTL_RUNNER_IMAGE: z
    .string()
    .default('dctl-runner:latest')
    .meta({ description: 'for environments that name none' }),
  DCTL_SQLMESH_IMAGE: z.string().default('dctl-sqlmesh:latest').meta({
    description: 'likewise, of SQLMesh projects; `npm run sqlmesh-image` makes it',
  }),
  DCTL_RUNNER_RUNTIME: z
    .string()
    .optional()
    .meta({ description: 'another OCI runtime, such as `runsc`', otherwise: "Docker's" }),
  DCTL_RUN_MEMORY_MB: count(2048).meta({ description: 'for environments that set none' }),
  DCTL_RUN_CPUS: positive(2).meta({ description: 'likewise' }),
  DCTL_RUN_PIDS: count(256).meta({ description: 'processes and threads of a run' }),
  DCTL_RUN_NETWORK: z.string().default('dctl-runs').meta({
    description: 'the network runs join; made when it is missing; `none` for no network',
  }),
  DCTL_WARM_MEMORY_MB: rate(512).meta({
    description:
      'what containers may take in all that a worker keeps waiting for the next run of a job in use (see [warm containers](operations.md#warm-containers)). 0: none are made',
  }),
  DCTL_WARM_IDLE_SECONDS: seconds(1800).meta({
    description: 'how long after its last run a job counts as in use',
  }),
  DCTL_WARM_AGE_SECONDS: seconds(3600).meta({ description: 'no container waits longer' }),
  DCTL_MAX_LOG_BYTES: count(20 * 1024 * 1024).meta({
    description: "of a run's stored log; past it the last 64 KiB are kept",
  }),
  DCTL_MAX_ARTIFACT_BYTES: count(1024 * 1024 * 1024).meta({
    description: "of a run's artifacts in all; further files are not kept",
  }),
};

const keeping = {
  DCTL_RETENTION_DAYS: z.coerce
    .number('write a whole number')
    .int('write a whole number')
    .min(0, 'write 0 or more')
    .max(36_500, 'write at most 36500')
    .default(0)
    .meta({
      description:
        'how long logs and artifacts are kept after a run has ended, in organizations that do not say otherwise',
      otherwise: '0, for ever',
    }),
  DCTL_IDEMPOTENCY_DAYS: positive(7).meta({ description: 'how long an `Idempotency-Key` is remembered' }),
  DCTL_CLEAN_UP_SECONDS: seconds(600).meta({
    description: 'how often a worker looks for what is not kept any longer',
  }),
};

const webhooks = {
  DCTL_WEBHOOK_ALLOW_CIDRS: z.string().default('').transform(readCidrs).meta({
    description: 'ranges beyond public addresses that webhooks may reach, such as `10.0.0.0/8`',
    otherwise: 'none',
  }),
  DCTL_WEBHOOK_TIMEOUT_SECONDS: seconds(10).meta({ description: 'of one try' }),
  DCTL_WEBHOOK_RETRY_SECONDS: seconds(2).meta({ description: 'before the one retry' }),
  DCTL_SUBSCRIPTION_RETRY_SECONDS: z.string().default('5, 30, 120, 600').transform(readPauses).meta({
    description: "before each retry of a webhook subscription's event: there are as many retries as numbers",
    otherwise: '5, 30, 120, 600',
  }),
};

const watching = {
  DCTL_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'], 'write debug, info, warn or error')
    .default('info')
    .meta({ description: '`debug`, `info`, `warn`, `error`' }),
  DCTL_METRICS_TOKEN: z
    .string()
    .min(16, 'write at least 16 characters')
    .optional()
    .meta({ description: '`/metrics` is answered only to `Authorization: Bearer` with it' }),
  DCTL_WORKER_PORT: port()
    .optional()
    .meta({ description: 'where a worker serves `/livez`, `/readyz` and `/metrics`' }),
};

/** The settings under the headings they are explained under. */
export const sections = {
  'What it stands on': foundations,
  'The API': api,
  'Signing in through another server': signIn,
  Workers: workers,
  Runs: runs,
  Preparing: preparing,
  'What is kept': keeping,
  Webhooks: webhooks,
  'Watching it': watching,
};

const settings = z.object({
  ...foundations,
  ...api,
  ...signIn,
  ...workers,
  ...runs,
  ...preparing,
  ...keeping,
  ...webhooks,
  ...watching,
});

export type Config = z.infer<typeof settings>;

/**
 * Reads the settings, once, when a process starts. Each may stand in a file that `<NAME>_FILE` names instead. Throws one
 * Error that names everything that is wrong, never a value.
 */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const { given, problems } = withFiles(environment);
  const parsed = settings.safeParse(given);
  for (const { path, message } of parsed.error?.issues ?? []) {
    const name = String(path[0]);
    problems.set(name, problems.get(name) ?? message);
  }
  for (const [name, message] of [...tlsProblems(given), ...oidcProblems(given)])
    problems.set(name, problems.get(name) ?? message);
  if (parsed.success && problems.size === 0) return parsed.data;
  const lines = [...problems].map(([name, problem]) => `  ${name}: ${problem}`);
  throw new Error(`These settings are not right:\n${lines.join('\n')}`);
}

/** Variables that look like settings of ours and are none, each with the setting it probably was to be. */
export function unknownSettings(
  environment: NodeJS.ProcessEnv,
): { setting: string; nearest: string | undefined }[] {
  const known = Object.keys(settings.shape);
  return Object.keys(environment)
    .filter((name) => name.startsWith('DCTL_') && !known.includes(name.replace(/_FILE$/, '')))
    .map((setting) => ({ setting, nearest: nearestOf(setting, known) }));
}

function withFiles(environment: NodeJS.ProcessEnv) {
  const given: Record<string, string> = {};
  const problems = new Map<string, string>();
  for (const name of Object.keys(settings.shape)) {
    const value = environment[name] || undefined;
    const file = environment[`${name}_FILE`] || undefined;
    if (value !== undefined) given[name] = value;
    if (value !== undefined && file !== undefined) {
      problems.set(name, `is given twice: remove ${name} or ${name}_FILE`);
    } else if (file !== undefined) {
      try {
        const text = readFileSync(file, 'utf8').trim();
        if (text === '') problems.set(name, `the file that ${name}_FILE names is empty`);
        else given[name] = text;
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
        problems.set(name, `the file that ${name}_FILE names cannot be read (${code})`);
      }
    }
  }
  return { given, problems };
}

/** What is right by itself and makes no sense together. */
function* tlsProblems(given: Record<string, string>): Generator<[name: string, problem: string]> {
  const { DCTL_TLS_CERT: cert, DCTL_TLS_KEY: key, DCTL_PLAIN_PORT: plain } = given;
  if (cert !== undefined && key === undefined) yield ['DCTL_TLS_KEY', 'is required beside DCTL_TLS_CERT'];
  if (key !== undefined && cert === undefined) yield ['DCTL_TLS_CERT', 'is required beside DCTL_TLS_KEY'];
  if (plain === undefined) return;
  if (cert === undefined && key === undefined)
    yield ['DCTL_PLAIN_PORT', 'is for a server with DCTL_TLS_CERT: without it, DCTL_PORT speaks http'];
  if (plain !== '0' && plain === given['DCTL_PORT'])
    yield ['DCTL_PLAIN_PORT', 'write another port than that of DCTL_PORT'];
}

function* oidcProblems(given: Record<string, string>): Generator<[name: string, problem: string]> {
  const needed = ['DCTL_OIDC_CLIENT_ID', 'DCTL_OIDC_CLIENT_SECRET', 'DCTL_PUBLIC_URL'];
  if (given['DCTL_OIDC_ISSUER'] !== undefined) {
    for (const name of needed)
      if (given[name] === undefined) yield [name, 'is required beside DCTL_OIDC_ISSUER'];
    return;
  }
  for (const name of Object.keys(given))
    if (name.startsWith('DCTL_OIDC_'))
      yield [name, 'is for a server with DCTL_OIDC_ISSUER: set that too, or leave this out'];
}

function nearestOf(name: string, known: string[]): string | undefined {
  const [nearest] = known
    .map((each) => ({ each, distance: editDistance(name, each) }))
    .toSorted((a, b) => a.distance - b.distance);
  return nearest !== undefined && nearest.distance <= name.length / 3 ? nearest.each : undefined;
}

/** Letters to insert, remove or replace between the two (Levenshtein). */
function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = above[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      line.push(Math.min(replaced, above[column]! + 1, line[column - 1]! + 1));
    }
    above = line;
  }
  return above[to.length]!;
}

function positive(otherwise: number) {
  return z.coerce.number('write a number').positive('write a number above 0').default(otherwise);
}

function seconds(otherwise: number) {
  return positive(otherwise);
}

function count(otherwise: number) {
  return z.coerce
    .number('write a whole number')
    .int('write a whole number')
    .positive('write a number above 0')
    .default(otherwise);
}

function rate(otherwise: number) {
  return z.coerce
    .number('write a whole number')
    .int('write a whole number')
    .min(0, 'write 0 or more')
    .default(otherwise);
}

function port() {
  return z.coerce
    .number('write a port number')
    .int('write a port number')
    .min(0, 'write a port number')
    .max(65_535, 'write a port number');
}

function filePath() {
  return z
    .string()
    .refine((text) => !text.includes('-----BEGIN'), 'write the path of a PEM file, not what it holds');
}

function readKeys(text: string, issues: z.RefinementCtx) {
  const keys = text.split(/[\s,]+/).filter((key) => key !== '');
  const wrong = keys.findIndex((key) => Buffer.from(key, 'base64').length !== 32);
  if (wrong !== -1) issues.addIssue(`key ${wrong + 1} is not 32 bytes in base64`);
  return keys;
}

function readPauses(text: string, issues: z.RefinementCtx) {
  const pauses = text.split(/[\s,]+/).filter((pause) => pause !== '');
  const numbers = pauses.map(Number);
  if (numbers.some((pause) => !(pause > 0 && pause <= 86_400)) || numbers.length > 20)
    issues.addIssue('write at most 20 numbers above 0 and up to 86400, separated by commas');
  return numbers;
}

function readCidrs(text: string, issues: z.RefinementCtx) {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '');
  return entries.flatMap((entry, index) => {
    try {
      return parseCidrs(entry);
    } catch (error) {
      const why = error instanceof Error ? error.message : 'write ranges such as 10.0.0.0/8';
      issues.addIssue(why.replace(`"${entry}"`, () => `entry ${index + 1}`));
      return [];
    }
  });
}
