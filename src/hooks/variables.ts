import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context, Principal } from '../context.ts';
import type { Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import { refuseWhileNamed } from './refuse-while-named.ts';
import type { NewVariable, VariableChange, variableList, VariableView } from './schema.ts';
import {
  countValues,
  findValue,
  insertValue,
  listValues,
  lockHooks,
  maxValues,
  removeValue,
  updateValue,
  type StoredValue,
  type ValueKind,
} from './store.ts';

/** Values that hooks name, oldest first. */
export async function variablesOf(
  { db }: Context,
  { organizationId }: Principal,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<z.input<typeof variableList>> {
  const rows = await listValues(db, 'variables', organizationId, {
    after: decodeCursor(cursor),
    limit: limit + 1,
  });
  return pageOf(rows, limit, view);
}

export async function getVariable(
  { db }: Context,
  { organizationId }: Principal,
  id: string,
): Promise<VariableView> {
  return view(await requireValue(db, 'variables', organizationId, id));
}

export async function createVariable(
  { db }: Context,
  principal: Principal,
  { name, value }: NewVariable,
): Promise<VariableView> {
  const { organizationId } = principal;
  const id = randomUUID();
  return db.$transaction(async (tx) => {
    await lockHooks(tx, organizationId);
    await refuseMore(tx, 'variables', organizationId);
    await refuseTakenName(tx, 'variables', organizationId, name);
    const made = await insertValue(tx, 'variables', { id, organizationId, name, value });
    await recordAudit(tx, principal, 'variable.created', { kind: 'variable', id }, { name });
    return view(made);
  });
}

/** What is recorded by now is sent as it is. */
export async function changeVariable(
  { db, secrets }: Context,
  principal: Principal,
  id: string,
  change: VariableChange,
): Promise<VariableView> {
  const { organizationId } = principal;
  return db.$transaction(async (tx) => {
    await lockHooks(tx, organizationId);
    const current = await requireValue(tx, 'variables', organizationId, id);
    const { name = current.name, value = current.value } = change;
    if (name !== current.name) {
      await refuseTakenName(tx, 'variables', organizationId, name);
      await refuseWhileNamed(
        tx,
        { secrets },
        organizationId,
        { scope: 'variables', name: current.name },
        'renamed',
      );
    }
    const changed = await updateValue(tx, 'variables', id, { name, value });
    const details = { name, fields: Object.keys(change) };
    await recordAudit(tx, principal, 'variable.changed', { kind: 'variable', id }, details);
    return view(changed);
  });
}

export async function deleteVariable(
  { db, secrets }: Context,
  principal: Principal,
  id: string,
): Promise<void> {
  const { organizationId } = principal;
  await db.$transaction(async (tx) => {
    await lockHooks(tx, organizationId);
    const { name } = await requireValue(tx, 'variables', organizationId, id);
    await refuseWhileNamed(tx, { secrets }, organizationId, { scope: 'variables', name }, 'deleted');
    await removeValue(tx, 'variables', id);
    await recordAudit(tx, principal, 'variable.deleted', { kind: 'variable', id }, { name });
  });
}

/** Refuses ids of other organizations like unknown ones. */
export async function requireValue(
  db: Parameters<typeof findValue>[0],
  kind: ValueKind,
  organizationId: string,
  id: string,
): Promise<StoredValue> {
  const found = await findValue(db, kind, organizationId, id);
  if (found === null) throw new AppError('not_found', `There is no such ${nounOf(kind)}.`);
  return found;
}

export async function refuseMore(tx: Transaction, kind: ValueKind, organizationId: string): Promise<void> {
  if ((await countValues(tx, kind, organizationId)) < maxValues) return;
  throw new AppError('conflict', `There are ${maxValues} ${kind} already: delete one that is not needed.`);
}

export async function refuseTakenName(
  tx: Transaction,
  kind: ValueKind,
  organizationId: string,
  name: string,
): Promise<void> {
  const all = await listValues(tx, kind, organizationId, { after: undefined, limit: maxValues });
  if (all.every((each) => each.name !== name)) return;
  const detail = `There is a ${nounOf(kind)} ${name} already: change that one, or choose another name.`;
  throw new AppError('conflict', detail, { problems: [{ pointer: '/name', detail }] });
}

const nounOf = (kind: ValueKind) => (kind === 'variables' ? 'variable' : 'secret');

function view({ id, name, value, createdAt, updatedAt }: StoredValue): VariableView {
  return { id, name, value, created_at: createdAt.toISOString(), updated_at: updatedAt.toISOString() };
}
