import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import type { account } from './schema.ts';
import { findAccount } from './store.ts';

/** The caller's account: their organization. Throws `not_found` for every other number. */
export async function requireAccount(
  { db, config }: Context,
  { organizationId }: Principal,
  accountId: number,
): Promise<z.input<typeof account>> {
  const found = await accountOf({ db, config }, { organizationId });
  if (found.id === accountId) return found;
  throw new AppError('not_found', `There is no such account: the one of this token is ${found.id}.`);
}

export async function accountOf(
  { db, config }: Pick<Context, 'db' | 'config'>,
  { organizationId }: Pick<Principal, 'organizationId'>,
): Promise<z.input<typeof account>> {
  const { number, name, createdAt } = await findAccount(db, organizationId);
  return {
    id: Number(number),
    name,
    state: 1,
    plan: 'self_hosted',
    run_slots: config.DCTL_WORKER_CONCURRENCY,
    created_at: createdAt.toISOString(),
  };
}
