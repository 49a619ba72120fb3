import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { findWorkspaceNumber } from './store.ts';

/** Throws `not_found` for all but the caller's own: their organization, by its id or its number. */
export async function requireWorkspace(
  { db }: Context,
  { organizationId }: Principal,
  workspaceId: string,
): Promise<void> {
  if (workspaceId === organizationId) return;
  if (workspaceId === String(await findWorkspaceNumber(db, organizationId))) return;
  throw new AppError('not_found', `There is no such workspace: the one of this key is ${organizationId}.`);
}
