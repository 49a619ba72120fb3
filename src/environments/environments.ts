import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { ProjectType } from '../commands/project-type.ts';
import type { Context, Principal } from '../context.ts';
import { unlessTaken, type Transaction } from '../db.ts';
import { AppError, invalidField } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import {
  connectionSecrets,
  connectionView,
  splitConnection,
  storedConnection,
  type ConnectionForm,
  type ConnectionSecrets,
} from './connection.ts';
import { requireProjectType } from './require-project.ts';
import type { EnvironmentChange, environmentList, environmentView, NewEnvironment } from './schema.ts';
import {
  countJobs,
  findEnvironment,
  insertEnvironment,
  listEnvironments,
  listSecrets,
  lockEnvironment,
  markEnvironmentDeleted,
  removeSecretsOfProject,
  updateEnvironment,
  type EnvironmentFields,
} from './store.ts';

export interface EnvironmentKey {
  projectId: string;
  environmentId: string;
}

/** Where the secret fields of an environment's connection are sealed for. */
export const connectionPlace = (environmentId: string) => `environments:${environmentId}:connection_secrets`;

/** A project's environments, oldest first. */
export async function environmentsOf(
  { db }: Context,
  { organizationId }: Principal,
  projectId: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<z.input<typeof environmentList>> {
  await requireProjectType(db, organizationId, projectId);
  const after = decodeCursor(page.cursor);
  const rows = await listEnvironments(db, organizationId, projectId, { after, limit: page.limit + 1 });
  return pageOf(rows, page.limit, view);
}

export async function getEnvironment(
  { db }: Context,
  { organizationId }: Principal,
  { projectId, environmentId }: EnvironmentKey,
): Promise<z.input<typeof environmentView>> {
  const environment = await findEnvironment(db, { organizationId, projectId, id: environmentId });
  if (environment === null) throw noSuchEnvironment();
  return view(environment);
}

export async function createEnvironment(
  context: Context,
  principal: Principal,
  projectId: string,
  wanted: NewEnvironment,
): Promise<z.input<typeof environmentView>> {
  const { db } = context;
  const id = randomUUID();
  const fields = changed(context, { id, ...nothingSet, name: wanted.name }, wanted);
  return named(() =>
    db.$transaction(async (tx) => {
      refuseConnectionUnlessDbt(await requireProjectType(tx, principal.organizationId, projectId), wanted);
      const environment = await insertEnvironment(tx, id, projectId, fields);
      await recordAudit(
        tx,
        principal,
        'environment.created',
        { kind: 'environment', id },
        { name: wanted.name },
      );
      return view(environment);
    }),
  );
}

/** Applies to runs recorded from now on: a run keeps the settings it was recorded with. */
export async function changeEnvironment(
  context: Context,
  principal: Principal,
  { projectId, environmentId }: EnvironmentKey,
  change: EnvironmentChange,
): Promise<z.input<typeof environmentView>> {
  const { organizationId } = principal;
  return named(() =>
    context.db.$transaction(async (tx) => {
      const current = await lockedEnvironment(tx, principal, { projectId, environmentId });
      if (current.name === production && change.name !== undefined && change.name !== production) {
        refuse('name', 'Leave the name: every project has an environment "production".');
      }
      refuseConnectionUnlessDbt(await requireProjectType(tx, organizationId, projectId), change);
      const fields = changed(context, current as StoredEnvironment, change);
      const secrets = await listSecrets(tx, environmentId);
      const both = secrets.find(({ name }) => Object.hasOwn(fields.envVars, name));
      if (both !== undefined) {
        refuse(`env_vars/${both.name}`, 'Delete the secret of this name, or choose another name.');
      }
      const environment = await updateEnvironment(tx, environmentId, fields);
      const subject = { kind: 'environment', id: environmentId };
      await recordAudit(tx, principal, 'environment.changed', subject, { fields: Object.keys(change) });
      return view(environment);
    }),
  );
}

/** Its runs stay readable, and those that are queued or running go on: without its secrets where they have not started. */
export async function deleteEnvironment(
  { db }: Context,
  principal: Principal,
  { projectId, environmentId }: EnvironmentKey,
): Promise<void> {
  await db.$transaction(async (tx) => {
    const environment = await lockedEnvironment(tx, principal, { projectId, environmentId });
    if (environment.name === production) {
      throw new AppError(
        'conflict',
        'Every project has an environment "production": change it in place of deleting it.',
      );
    }
    const jobs = await countJobs(tx, environmentId);
    if (jobs > 0) {
      const who = jobs === 1 ? 'A job runs' : `${jobs} jobs run`;
      throw new AppError(
        'conflict',
        `${who} in this environment: give the job another environment_id first.`,
      );
    }
    await markEnvironmentDeleted(tx, environmentId);
    const subject = { kind: 'environment', id: environmentId };
    await recordAudit(tx, principal, 'environment.deleted', subject, { name: environment.name });
  });
}

/** The environment, which nobody else changes before the transaction has ended. */
export async function lockedEnvironment(
  tx: Transaction,
  { organizationId }: Principal,
  { projectId, environmentId }: EnvironmentKey,
) {
  await lockEnvironment(tx, environmentId);
  const environment = await findEnvironment(tx, { organizationId, projectId, id: environmentId });
  if (environment === null) throw noSuchEnvironment();
  return environment;
}

export function noSuchEnvironment(): AppError {
  return new AppError('not_found', 'There is no such environment.');
}

/** The secrets of all of a project's environments are gone for good. */
export function forgetSecretsOf(tx: Transaction, projectId: string): Promise<void> {
  return removeSecretsOfProject(tx, projectId);
}

const production = 'production';

const nothingSet: EnvironmentFields = {
  name: '',
  runnerImage: null,
  target: null,
  threads: null,
  envVars: {},
  timeoutSeconds: null,
  memoryMb: null,
  cpus: null,
  network: null,
  hasDataVolume: true,
  connection: null,
  connectionSecrets: null,
};

type StoredEnvironment = EnvironmentFields & { id: string };

function refuseConnectionUnlessDbt(projectType: ProjectType, { connection }: EnvironmentChange): void {
  if (connection === undefined || connection === null || projectType === 'dbt') return;
  refuse('connection', 'Leave the connection out: a profile is made of it, and only dbt reads profiles.');
}

function changed(context: Context, current: StoredEnvironment, change: EnvironmentChange): EnvironmentFields {
  const fields: EnvironmentFields = {
    name: change.name ?? current.name,
    runnerImage: orCurrent(change.runner_image, current.runnerImage),
    target: orCurrent(change.target, current.target),
    threads: orCurrent(change.threads, current.threads),
    envVars: change.env_vars ?? current.envVars,
    timeoutSeconds: orCurrent(change.timeout_seconds, current.timeoutSeconds),
    memoryMb: orCurrent(change.memory_mb, current.memoryMb),
    cpus: orCurrent(change.cpus, current.cpus),
    network: orCurrent(change.network, current.network),
    hasDataVolume: change.has_data_volume ?? current.hasDataVolume,
    ...changedConnection(context, current, change.connection),
  };
  const { connection, hasDataVolume } = fields;
  if (connection?.type === 'duckdb' && connection.path !== ':memory:' && !hasDataVolume) {
    refuse('has_data_volume', "Let it be true: the connection's file is on the data volume.");
  }
  return fields;
}

function changedConnection(
  { secrets }: Context,
  current: StoredEnvironment,
  form: ConnectionForm | null | undefined,
): Pick<EnvironmentFields, 'connection' | 'connectionSecrets'> {
  if (form === undefined) {
    return { connection: current.connection, connectionSecrets: current.connectionSecrets };
  }
  if (form === null) return { connection: null, connectionSecrets: null };
  const split = splitConnection(form, knownSecrets({ secrets }, current));
  return {
    connection: split.connection,
    connectionSecrets:
      Object.keys(split.secrets.fields).length === 0
        ? null
        : secrets.seal(JSON.stringify(split.secrets), connectionPlace(current.id)),
  };
}

/** None when the server's key is another one by now: then they are to be sent again. */
function knownSecrets({ secrets }: Pick<Context, 'secrets'>, current: StoredEnvironment) {
  try {
    return openConnectionSecrets({ secrets }, current.id, current.connectionSecrets);
  } catch {
    return undefined;
  }
}

/** Throws when it was sealed with a key that is not the server's. */
export function openConnectionSecrets(
  { secrets }: Pick<Context, 'secrets'>,
  environmentId: string,
  sealed: string | null,
): ConnectionSecrets | undefined {
  if (sealed === null) return undefined;
  return connectionSecrets.parse(JSON.parse(secrets.open(sealed, connectionPlace(environmentId))));
}

function orCurrent<Value>(wanted: Value | null | undefined, current: Value | null): Value | null {
  return wanted === undefined ? current : wanted;
}

const named = unlessTaken('The project has an environment with this name. Choose another name.');

function refuse(field: string, detail: string): never {
  throw invalidField(`/${field}`, detail);
}

function view(
  row: NonNullable<Awaited<ReturnType<typeof findEnvironment>>>,
): z.input<typeof environmentView> {
  const connection = row.connection === null ? null : storedConnection.parse(row.connection);
  return {
    id: row.id,
    project_id: row.projectId,
    name: row.name,
    runner_image: row.runnerImage,
    target: row.target,
    threads: row.threads,
    env_vars: row.envVars as Record<string, string>,
    timeout_seconds: row.timeoutSeconds,
    memory_mb: row.memoryMb,
    cpus: row.cpus,
    network: row.network,
    has_data_volume: row.hasDataVolume,
    connection: connection === null ? null : connectionView(connection),
    created_at: row.createdAt.toISOString(),
  };
}
