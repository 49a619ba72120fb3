import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context, Principal } from '../context.ts';
import type { Scope } from '../scopes.ts';
import { AppError, invalidField } from '../errors.ts';
import { requireScope } from '../http/require-scope.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import { createToken } from './create-token.ts';
import type { createdToken, newToken, tokenList, tokensQuery, tokenView } from './schema.ts';
import { findToken, listTokens, markTokenRevoked } from './store.ts';

/** The organization's tokens, newest first. */
export async function tokensOf(
  { db }: Context,
  { organizationId }: Principal,
  { cursor, limit, include_revoked }: z.output<typeof tokensQuery>,
): Promise<z.input<typeof tokenList>> {
  const withDead = include_revoked === '1';
  const rows = await listTokens(db, organizationId, {
    after: decodeCursor(cursor),
    limit: limit + 1,
    withDead,
  });
  return pageOf(rows, limit, view);
}

export async function getToken({ db }: Context, { organizationId }: Principal, id: string) {
  const token = await findToken(db, organizationId, id);
  if (token === null) throw noSuchToken();
  return view(token);
}

/** The answer tells the token's text, this once. */
export async function makeToken(
  { db, secrets }: Context,
  principal: Pick<Principal, 'organizationId' | 'actor'>,
  wanted: z.output<typeof newToken>,
): Promise<z.input<typeof createdToken>> {
  const { organizationId, actor } = principal;
  const expiresAt = wanted.expires_at ? new Date(wanted.expires_at) : null;
  if (expiresAt !== null && expiresAt <= new Date()) {
    const detail = 'Write a time in the future, or leave it out for a token that does not expire.';
    throw invalidField('/expires_at', detail);
  }
  return db.$transaction(async (tx) => {
    const { name, scope } = wanted;
    const made = await createToken(tx, secrets, {
      organizationId,
      name,
      scope,
      expiresAt,
      createdBy: actor.name,
    });
    const facts = { name, scope, expires_at: expiresAt?.toISOString() ?? null };
    await recordAudit(tx, principal, 'token.created', { kind: 'token', id: made.stored.id }, facts);
    return { ...view(made.stored), token: made.token };
  });
}

/** From the next request on. Twice is the same as once. Whatever its scope, a token may revoke itself. */
export async function revokeToken({ db }: Context, principal: Principal, id: string): Promise<void> {
  const isItself = principal.actor.kind === 'token' && principal.actor.id === id;
  if (!isItself) requireScope(principal, 'admin');
  await db.$transaction(async (tx) => {
    const token = await findToken(tx, principal.organizationId, id);
    if (token === null) throw noSuchToken();
    if (!(await markTokenRevoked(tx, id))) return;
    await recordAudit(tx, principal, 'token.revoked', { kind: 'token', id }, { name: token.name });
  });
}

function noSuchToken(): AppError {
  return new AppError('not_found', 'There is no such token.');
}

function view(token: NonNullable<Awaited<ReturnType<typeof findToken>>>): z.input<typeof tokenView> {
  return {
    id: token.id,
    name: token.name,
    scope: token.scope as Scope,
    prefix: token.prefix,
    last_four: token.lastFour,
    created_by: token.createdBy,
    created_at: token.createdAt.toISOString(),
    expires_at: token.expiresAt?.toISOString() ?? null,
    last_used_at: token.lastUsedAt?.toISOString() ?? null,
    revoked_at: token.revokedAt?.toISOString() ?? null,
  };
}
