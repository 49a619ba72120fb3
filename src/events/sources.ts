import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context, Principal } from '../context.ts';
import { unlessTaken, type Database, type Transaction } from '../db.ts';
import { AppError, invalidField } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import { findNamesOfRules } from './rule-store.ts';
import type { AuthStyle, NewSource, SourceChange, sourceList, sourceView } from './schema.ts';
import { givenSecretProblem, newSourceSecret, sealSourceSecret } from './source-secret.ts';
import {
  countSources,
  findSource,
  insertSource,
  listSources,
  lockEventSettings,
  lockSource,
  updateSource,
  type StoredSource,
} from './source-store.ts';

const maxSources = 100;

type SourceView = z.input<typeof sourceView>;

/** With the secret, which is shown this once. */
export async function createSource(
  { db, secrets }: Context,
  principal: Principal,
  { secret: given, id_field: idField, is_active: active, ...wanted }: NewSource,
): Promise<SourceView & { secret: string }> {
  const { organizationId } = principal;
  const secret = secretOf(wanted.auth, given);
  const id = randomUUID();
  const made = await named(() =>
    db.$transaction(async (tx) => {
      await lockEventSettings(tx, organizationId);
      if ((await countSources(tx, organizationId)) >= maxSources)
        throw conflict(
          `There are ${maxSources} event sources already. Delete one that is not needed any more.`,
        );
      const sealed = sealSourceSecret(id, secret, secrets);
      const stored = await insertSource(tx, {
        ...wanted,
        id,
        organizationId,
        idField,
        active,
        secret: sealed,
      });
      await recordAudit(tx, principal, 'event_source.created', subjectOf(id), { name: wanted.name });
      return stored;
    }),
  );
  return { ...view(made), secret };
}

export async function sourcesOf(
  { db }: Context,
  { organizationId }: Principal,
  page: { limit: number; cursor?: string | undefined },
): Promise<z.input<typeof sourceList>> {
  const rows = await listSources(db, organizationId, decodeCursor(page.cursor), page.limit + 1);
  return pageOf(rows, page.limit, view);
}

export async function getSource({ db }: Context, principal: Principal, id: string): Promise<SourceView> {
  return view(await requireSource(db, principal, id));
}

export async function changeSource(
  { db }: Context,
  principal: Principal,
  id: string,
  change: SourceChange,
): Promise<SourceView> {
  return named(() =>
    db.$transaction(async (tx) => {
      await lockSource(tx, id);
      await requireSource(tx, principal, id);
      const { name, id_field: idField, is_active: active } = change;
      const changed = await updateSource(tx, id, {
        ...(name === undefined ? {} : { name }),
        ...(idField === undefined ? {} : { idField }),
        ...(active === undefined ? {} : { active }),
      });
      await recordAudit(tx, principal, 'event_source.changed', subjectOf(id), {
        fields: Object.keys(change),
      });
      return view(changed);
    }),
  );
}

/** From then on the earlier secret counts no more. */
export async function rotateSecret(
  { db, secrets }: Context,
  principal: Principal,
  id: string,
  given: string | undefined,
): Promise<SourceView & { secret: string }> {
  return db.$transaction(async (tx) => {
    await lockSource(tx, id);
    const { auth } = await requireSource(tx, principal, id);
    const secret = secretOf(auth, given);
    const changed = await updateSource(tx, id, { secret: sealSourceSecret(id, secret, secrets) });
    await recordAudit(tx, principal, 'event_source.secret_rotated', subjectOf(id));
    return { ...view(changed), secret };
  });
}

/** Its events stay readable, and what is being gathered goes on. */
export async function deleteSource({ db }: Context, principal: Principal, id: string): Promise<void> {
  await db.$transaction(async (tx) => {
    await lockEventSettings(tx, principal.organizationId);
    await lockSource(tx, id);
    const { name } = await requireSource(tx, principal, id);
    const rules = await findNamesOfRules(tx, id);
    if (rules.length > 0)
      throw conflict(`Rules look at the events of this source: delete them first (${rules.join(', ')}).`);
    await updateSource(tx, id, { deletedAt: new Date() });
    await recordAudit(tx, principal, 'event_source.deleted', subjectOf(id), { name });
  });
}

/** Refuses ids of other organizations like unknown ones. */
export async function requireSource(
  db: Database | Transaction,
  { organizationId }: Principal,
  id: string,
): Promise<StoredSource> {
  const found = await findSource(db, organizationId, id);
  if (found === null) throw noSuchSource();
  return found;
}

export function noSuchSource(): AppError {
  return new AppError('not_found', 'There is no such event source.');
}

function secretOf(auth: AuthStyle, given: string | undefined): string {
  if (given === undefined) return newSourceSecret(auth);
  const problem = givenSecretProblem(auth, given);
  if (problem !== null) throw invalidField('/secret', problem);
  return given;
}

function view({ id, name, auth, idField, active, createdAt, updatedAt }: StoredSource): SourceView {
  return {
    id,
    name,
    auth,
    id_field: idField,
    is_active: active,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}

const named = unlessTaken('An event source of this name exists already: choose another name.');

const subjectOf = (id: string) => ({ kind: 'event_source', id });
const conflict = (detail: string) => new AppError('conflict', detail);
