import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context, Principal } from '../context.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import { refuseWhileNamed } from './refuse-while-named.ts';
import type { NewSecret, SecretChange, secretList, SecretView } from './schema.ts';
import { insertValue, listValues, lockHooks, removeValue, updateValue, type StoredValue } from './store.ts';
import { refuseMore, refuseTakenName, requireValue } from './variables.ts';

/** Where a secret's value is sealed for. */
export const secretPlace = (id: string) => `orchestration_secrets:${id}:value`;

/** Without their values, oldest first. */
export async function secretsOf(
  { db }: Context,
  { organizationId }: Principal,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<z.input<typeof secretList>> {
  const rows = await listValues(db, 'secrets', organizationId, {
    after: decodeCursor(cursor),
    limit: limit + 1,
  });
  return pageOf(rows, limit, view);
}

export async function getSecret(
  { db }: Context,
  { organizationId }: Principal,
  id: string,
): Promise<SecretView> {
  return view(await requireValue(db, 'secrets', organizationId, id));
}

export async function createSecret(
  { db, secrets }: Context,
  principal: Principal,
  { name, value }: NewSecret,
): Promise<SecretView> {
  const { organizationId } = principal;
  const id = randomUUID();
  return db.$transaction(async (tx) => {
    await lockHooks(tx, organizationId);
    await refuseMore(tx, 'secrets', organizationId);
    await refuseTakenName(tx, 'secrets', organizationId, name);
    const sealed = secrets.seal(value, secretPlace(id));
    const made = await insertValue(tx, 'secrets', { id, organizationId, name, value: sealed });
    await recordAudit(tx, principal, 'orchestration_secret.created', subjectOf(id), { name });
    return view(made);
  });
}

/** What is recorded by now is sent as it is. */
export async function changeSecret(
  { db, secrets }: Context,
  principal: Principal,
  id: string,
  change: SecretChange,
): Promise<SecretView> {
  const { organizationId } = principal;
  return db.$transaction(async (tx) => {
    await lockHooks(tx, organizationId);
    const current = await requireValue(tx, 'secrets', organizationId, id);
    const { name = current.name } = change;
    if (name !== current.name) {
      await refuseTakenName(tx, 'secrets', organizationId, name);
      await refuseWhileNamed(
        tx,
        { secrets },
        organizationId,
        { scope: 'secrets', name: current.name },
        'renamed',
      );
    }
    const value = change.value === undefined ? current.value : secrets.seal(change.value, secretPlace(id));
    const changed = await updateValue(tx, 'secrets', id, { name, value });
    const details = { name, fields: Object.keys(change) };
    await recordAudit(tx, principal, 'orchestration_secret.changed', subjectOf(id), details);
    return view(changed);
  });
}

export async function deleteSecret(
  { db, secrets }: Context,
  principal: Principal,
  id: string,
): Promise<void> {
  const { organizationId } = principal;
  await db.$transaction(async (tx) => {
    await lockHooks(tx, organizationId);
    const { name } = await requireValue(tx, 'secrets', organizationId, id);
    await refuseWhileNamed(tx, { secrets }, organizationId, { scope: 'secrets', name }, 'deleted');
    await removeValue(tx, 'secrets', id);
    await recordAudit(tx, principal, 'orchestration_secret.deleted', subjectOf(id), { name });
  });
}

/** A secret of an environment is another thing: that one has no id of its own. */
const subjectOf = (id: string) => ({ kind: 'orchestration_secret', id });

function view({ id, name, createdAt, updatedAt }: StoredValue): SecretView {
  return { id, name, created_at: createdAt.toISOString(), updated_at: updatedAt.toISOString() };
}
