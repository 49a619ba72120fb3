import { randomUUID } from 'node:crypto';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context, Principal } from '../context.ts';
import type { Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import type { Secrets } from '../secrets.ts';
import { refuseWhileNamed } from './refuse-while-named.ts';
import type { NewValue, SecretView, ValueChange, VariableView } from './schema.ts';
import { secretPlace } from './sealed-fields.ts';
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

/** What variables and secrets do not have in common. */
interface Kind<View> {
  kind: ValueKind;
  noun: string;
  subject: 'variable' | 'orchestration_secret';
  /** As it is kept. */
  stored(value: string, id: string, secrets: Secrets): string;
  view(stored: StoredValue): View;
}

/** Values that hooks name, and anybody of the organization may read. */
export const variables = operationsOn<VariableView>({
  kind: 'variables',
  noun: 'variable',
  subject: 'variable',
  stored: (value) => value,
  view: (stored) => ({ ...secretView(stored), value: stored.value }),
});

/** Values that hooks name, and nobody ever reads again. A secret of an environment is another thing: that has no id. */
export const secrets = operationsOn<SecretView>({
  kind: 'secrets',
  noun: 'secret',
  subject: 'orchestration_secret',
  stored: (value, id, sealing) => sealing.seal(value, secretPlace(id)),
  view: secretView,
});

/** Refuses ids of other organizations like unknown ones. */
function operationsOn<View>({ kind, noun, subject, stored, view }: Kind<View>) {
  const subjectOf = (id: string) => ({ kind: subject, id });

  const require = async (db: Parameters<typeof findValue>[0], organizationId: string, id: string) => {
    const found = await findValue(db, kind, organizationId, id);
    if (found === null) throw new AppError('not_found', `There is no such ${noun}.`);
    return found;
  };

  const refuseTakenName = async (tx: Transaction, organizationId: string, name: string) => {
    const all = await listValues(tx, kind, organizationId, { after: undefined, limit: maxValues });
    if (all.every((each) => each.name !== name)) return;
    const detail = `There is a ${noun} ${name} already: change that one, or choose another name.`;
    throw new AppError('conflict', detail, { problems: [{ pointer: '/name', detail }] });
  };

  return {
    /** Oldest first. */
    async list(
      { db }: Context,
      { organizationId }: Principal,
      { limit, cursor }: { limit: number; cursor?: string | undefined },
    ) {
      const page = { after: decodeCursor(cursor), limit: limit + 1 };
      return pageOf(await listValues(db, kind, organizationId, page), limit, view);
    },

    async get({ db }: Context, { organizationId }: Principal, id: string): Promise<View> {
      return view(await require(db, organizationId, id));
    },

    async create(context: Context, principal: Principal, { name, value }: NewValue): Promise<View> {
      const { organizationId } = principal;
      const id = randomUUID();
      return context.db.$transaction(async (tx) => {
        await lockHooks(tx, organizationId);
        if ((await countValues(tx, kind, organizationId)) >= maxValues) {
          const detail = `There are ${maxValues} ${kind} already: delete one that is not needed.`;
          throw new AppError('conflict', detail);
        }
        await refuseTakenName(tx, organizationId, name);
        const kept = { id, organizationId, name, value: stored(value, id, context.secrets) };
        const made = await insertValue(tx, kind, kept);
        await recordAudit(tx, principal, `${subject}.created`, subjectOf(id), { name });
        return view(made);
      });
    },

    /** What is recorded by now is sent as it is. */
    async change(context: Context, principal: Principal, id: string, change: ValueChange): Promise<View> {
      const { organizationId } = principal;
      return context.db.$transaction(async (tx) => {
        await lockHooks(tx, organizationId);
        const current = await require(tx, organizationId, id);
        const { name = current.name } = change;
        if (name !== current.name) {
          await refuseTakenName(tx, organizationId, name);
          const placeholder = { scope: kind, name: current.name };
          await refuseWhileNamed(tx, context, organizationId, placeholder, 'renamed');
        }
        const value = change.value === undefined ? current.value : stored(change.value, id, context.secrets);
        const changed = await updateValue(tx, kind, id, { name, value });
        const details = { name, fields: Object.keys(change) };
        await recordAudit(tx, principal, `${subject}.changed`, subjectOf(id), details);
        return view(changed);
      });
    },

    async remove(context: Context, principal: Principal, id: string): Promise<void> {
      const { organizationId } = principal;
      await context.db.$transaction(async (tx) => {
        await lockHooks(tx, organizationId);
        const { name } = await require(tx, organizationId, id);
        await refuseWhileNamed(tx, context, organizationId, { scope: kind, name }, 'deleted');
        await removeValue(tx, kind, id);
        await recordAudit(tx, principal, `${subject}.deleted`, subjectOf(id), { name });
      });
    },
  };
}

function secretView({ id, name, createdAt, updatedAt }: StoredValue): SecretView {
  return { id, name, created_at: createdAt.toISOString(), updated_at: updatedAt.toISOString() };
}
