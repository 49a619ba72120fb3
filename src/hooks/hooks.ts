import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Condition } from '../conditions.ts';
import type { Context, Principal } from '../context.ts';
import type { Database, Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import { pageOfDeliveries } from '../webhooks/deliveries.ts';
import type { deliveryList, DeliveryState } from '../webhooks/schema.ts';
import { authView } from '../webhooks/webhook-auth.ts';
import { checkedHook, type OpenHook } from './checked-hook.ts';
import { shownHeaders } from './header-values.ts';
import type { HookChange, hookList, HookMethod, HookView, NewHook } from './schema.ts';
import { openHeaders, openSignIn, sealFields } from './sealed-fields.ts';
import {
  countHooks,
  findHook,
  insertHook,
  listHooks,
  lockHooks,
  markHookDeleted,
  maxHooks,
  updateHook,
  type HookFields,
  type StoredHook,
} from './store.ts';

type Page = { limit: number; cursor?: string | undefined };

/** Oldest first. */
export async function hooksOf(
  { db, secrets }: Context,
  { organizationId }: Principal,
  { limit, cursor }: Page,
): Promise<z.input<typeof hookList>> {
  const rows = await listHooks(db, organizationId, { after: decodeCursor(cursor), limit: limit + 1 });
  return pageOf(rows, limit, (row) => view(row, opened(row, secrets)));
}

export async function getHook(
  { db, secrets }: Context,
  { organizationId }: Principal,
  id: string,
): Promise<HookView> {
  const hook = await requireHook(db, organizationId, id);
  return view(hook, opened(hook, secrets));
}

export async function createHook(context: Context, principal: Principal, wanted: NewHook): Promise<HookView> {
  const { organizationId } = principal;
  const id = randomUUID();
  return context.db.$transaction(async (tx) => {
    await lockHooks(tx, organizationId);
    if ((await countHooks(tx, organizationId)) >= maxHooks) {
      throw new AppError('conflict', `There are ${maxHooks} hooks already: delete one that is not needed.`);
    }
    const checked = await checkedHook(tx, context, organizationId, null, wanted);
    const hook = await insertHook(tx, { id, organizationId, ...stored(id, checked, context) });
    await recordAudit(tx, principal, 'hook.created', subjectOf(id), factsOf(checked));
    return view(hook, checked);
  });
}

/** What is left out stays. What is recorded by now is sent as it is. */
export async function changeHook(
  context: Context,
  principal: Principal,
  id: string,
  change: HookChange,
): Promise<HookView> {
  const { organizationId } = principal;
  return context.db.$transaction(async (tx) => {
    await lockHooks(tx, organizationId);
    const current = opened(await requireHook(tx, organizationId, id), context.secrets);
    const checked = await checkedHook(tx, context, organizationId, current, change);
    const hook = await updateHook(tx, id, stored(id, checked, context));
    const details = { ...factsOf(checked), fields: Object.keys(change) };
    await recordAudit(tx, principal, 'hook.changed', subjectOf(id), details);
    return view(hook, checked);
  });
}

/** What is recorded by now is sent all the same; its deliveries stay readable. */
export async function deleteHook({ db }: Context, principal: Principal, id: string): Promise<void> {
  const { organizationId } = principal;
  await db.$transaction(async (tx) => {
    await lockHooks(tx, organizationId);
    const { description } = await requireHook(tx, organizationId, id);
    await markHookDeleted(tx, id);
    await recordAudit(tx, principal, 'hook.deleted', subjectOf(id), { description });
  });
}

/** What a hook sent, newest first. A deleted one's too. */
export async function deliveriesOfHook(
  { db }: Context,
  { organizationId }: Principal,
  hookId: string,
  { state, ...page }: Page & { state?: DeliveryState | undefined },
): Promise<z.input<typeof deliveryList>> {
  if ((await findHook(db, organizationId, hookId, { alsoDeleted: true })) === null) throw noSuchHook();
  return pageOfDeliveries(db, { organizationId, hookId, state }, page);
}

/** Refuses ids of other organizations like unknown ones. */
export async function requireHook(
  db: Database | Transaction,
  organizationId: string,
  id: string,
): Promise<StoredHook> {
  const found = await findHook(db, organizationId, id);
  if (found === null) throw noSuchHook();
  return found;
}

/** As whoever renders it needs it. Throws where this process has another key than the one that sealed it. */
export function opened(hook: StoredHook, secrets: Context['secrets']): OpenHook {
  return {
    description: hook.description,
    active: hook.active,
    method: hook.method as HookMethod,
    url: hook.url,
    headers: openHeaders(hook, secrets),
    body: hook.body === null ? null : JSON.parse(hook.body),
    auth: openSignIn(hook, secrets),
    rules: hook.rules as unknown as Condition[],
    jobIds: hook.jobIds,
  };
}

function stored(id: string, hook: OpenHook, { secrets }: Context): HookFields {
  const { headers, auth, body, ...clear } = hook;
  return {
    ...clear,
    body: body === null ? null : JSON.stringify(body),
    rules: hook.rules,
    ...sealFields(id, { headers, auth }, secrets),
  };
}

function view({ id, createdAt, updatedAt }: StoredHook, hook: OpenHook): HookView {
  return {
    id,
    description: hook.description,
    is_active: hook.active,
    method: hook.method,
    url: hook.url,
    header: shownHeaders(hook.headers),
    body: hook.body,
    auth: authView(hook.auth),
    rules: hook.rules,
    jobs: hook.jobIds,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}

const noSuchHook = () => new AppError('not_found', 'There is no such hook.');
const subjectOf = (id: string) => ({ kind: 'hook', id });
const factsOf = ({ description, active }: OpenHook) => ({ description, is_active: active });
