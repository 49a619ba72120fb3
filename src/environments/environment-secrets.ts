import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context, Principal } from '../context.ts';
import { AppError, invalidField } from '../errors.ts';
import { lockedEnvironment, noSuchEnvironment, type EnvironmentKey } from './environments.ts';
import type { secretList, secretView } from './schema.ts';
import { findEnvironment, listSecrets, putSecret, removeSecret } from './store.ts';
import { variableNameProblem } from './variable-names.ts';

const maxSecrets = 100;

/** Where a secret's value is sealed for. */
export const secretPlace = (environmentId: string, name: string) =>
  `environment_secrets:${environmentId}:${name}`;

export async function secretsOf(
  { db }: Context,
  { organizationId }: Principal,
  { projectId, environmentId }: EnvironmentKey,
): Promise<z.input<typeof secretList>> {
  const environment = await findEnvironment(db, { organizationId, projectId, id: environmentId });
  if (environment === null) throw noSuchEnvironment();
  const secrets = await listSecrets(db, environmentId);
  return { data: secrets.map(view), next_cursor: null };
}

/** Runs that start from now on get the new value, those that wait in the queue too. */
export async function setSecret(
  { db, secrets }: Context,
  principal: Principal,
  key: EnvironmentKey,
  { name, value }: { name: string; value: string },
): Promise<z.input<typeof secretView>> {
  return db.$transaction(async (tx) => {
    const environment = await lockedEnvironment(tx, principal, key);
    const problem = variableNameProblem(name);
    if (problem !== null) throw invalidField('path.name', problem);
    if (Object.hasOwn(environment.envVars as object, name)) {
      const detail = `The environment has a variable ${name}: remove it from env_vars, or choose another name.`;
      throw new AppError('conflict', detail, { problems: [{ pointer: 'path.name', detail }] });
    }
    const stored = await listSecrets(tx, key.environmentId);
    if (stored.length >= maxSecrets && stored.every((each) => each.name !== name)) {
      const detail = `The environment has ${maxSecrets} secrets: delete one that is not needed.`;
      throw new AppError('conflict', detail);
    }
    const secret = await putSecret(tx, {
      environmentId: key.environmentId,
      name,
      value: secrets.seal(value, secretPlace(key.environmentId, name)),
      updatedBy: principal.actor.name,
    });
    await recordAudit(tx, principal, 'secret.set', subjectOf(key), { name });
    return view(secret);
  });
}

export async function deleteSecret(
  { db }: Context,
  principal: Principal,
  key: EnvironmentKey,
  name: string,
): Promise<void> {
  await db.$transaction(async (tx) => {
    await lockedEnvironment(tx, principal, key);
    if (!(await removeSecret(tx, key.environmentId, name))) {
      throw new AppError('not_found', 'There is no such secret.');
    }
    await recordAudit(tx, principal, 'secret.deleted', subjectOf(key), { name });
  });
}

const subjectOf = ({ environmentId }: EnvironmentKey) => ({ kind: 'environment', id: environmentId });

function view(secret: { name: string; updatedAt: Date; updatedBy: string }): z.input<typeof secretView> {
  return {
    name: secret.name,
    updated_at: secret.updatedAt.toISOString(),
    updated_by: secret.updatedBy,
  };
}
