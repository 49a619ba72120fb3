import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { inBatches } from '../batches.ts';
import type { Caller, Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { requireScope } from '../http/require-scope.ts';
import type { Visit } from '../http/serve-routes.ts';
import { openAuthentication } from '../sessions/authenticate.ts';
import { readCookie } from '../sessions/cookie.ts';
import { viewEvents } from './events.ts';
import { externalIdOf, maxEventBytes, readEvent } from './read-event.ts';
import { openEventRecorder } from './record-events.ts';
import type { accepted } from './schema.ts';
import { openSourceSecret } from './source-secret.ts';
import { findSourceNamed, findSourceOfAnybody, type StoredSource } from './source-store.ts';
import { noSuchSource } from './sources.ts';
import { isSigned } from './verify.ts';

/** A request that brings an event. `count`: counts it for whoever it is from, or for its address. */
export interface EventRequest extends Visit {
  body: Buffer;
  count(caller: Caller | null): Promise<void>;
}

/** Takes an event of a source. Once it returns, the event, its verdicts and its runs are recorded. */
export function openEventReceiver(
  context: Context,
): (idOrName: string, request: EventRequest) => Promise<z.input<typeof accepted>> {
  const sourceOf = openSourceCheck(context);
  const record = openEventRecorder(context);
  const look = inBatches((ids: string[]) => viewEvents(context, ids));

  return async (idOrName, request) => {
    const source = await sourceOf(idOrName, request);
    if (!source.active)
      throw new AppError('conflict', 'The event source is switched off: set its is_active to true first.');
    const { body, data } = readEvent(request.body);
    const externalId = externalIdOf(source, request.header, data);
    const { id, isDuplicate } = await record({ id: randomUUID(), source, externalId, body, data });
    const event = await look('', id);
    // Older than the organization keeps them, and removed just now.
    if (event === null) throw new AppError('gone', 'The event came before, and is not kept any more.');
    return { ...event, duplicate: isDuplicate };
  };
}

/**
 * Whoever has an API token or a session is told what is wrong. To anybody else an unknown source, a wrong token and a
 * wrong signature look the same.
 */
function openSourceCheck(
  context: Context,
): (idOrName: string, request: EventRequest) => Promise<StoredSource> {
  const { db, secrets, metrics } = context;
  const authentication = openAuthentication(context);

  return async (idOrName, request) => {
    if (isOfCaller(request)) {
      const principal = await principalOf(request);
      const source = await findSourceNamed(db, principal.organizationId, idOrName);
      if (source === null) throw noSuchSource();
      requireSize(request);
      return source;
    }
    const source = await findSourceOfAnybody(db, idOrName);
    const isFromSource =
      source !== null && isSigned(source.auth, openSourceSecret(source, secrets), request, new Date());
    await request.count(isFromSource ? callerOf(source, request) : null);
    if (isFromSource) {
      requireSize(request);
      return source;
    }
    metrics.failedAuthentications.inc({ with: 'event' });
    throw new AppError(
      'unauthenticated',
      "There is no such event source, or the request does not show that it comes from it: send the source's token, or sign with its secret, no longer than 5 minutes ago.",
    );
  };

  async function principalOf(request: EventRequest): Promise<Principal> {
    const caller = await authentication.callerOf(request).catch(async (error: unknown) => {
      // Wrong tokens have a limit of their own.
      if (error instanceof AppError && Object.keys(error.headers).length === 0) await request.count(null);
      throw error;
    });
    await request.count(caller);
    const principal = authentication.principalOf(caller, request);
    requireScope(principal, 'trigger');
    return principal;
  }
}

/** Whether it says who sends it, rather than which source it is from. */
function isOfCaller({ header }: EventRequest): boolean {
  const authorization = header('authorization');
  if (authorization === undefined) return readCookie(header('cookie')) !== undefined;
  return /^\S+ +dctl_/.test(authorization.trim());
}

function requireSize({ body }: EventRequest): void {
  if (body.length <= maxEventBytes) return;
  throw new AppError('too_large', `An event has at most ${maxEventBytes} bytes.`);
}

/** For counting: a source has as many requests as a token. */
function callerOf({ id, name, organizationId }: StoredSource, { address }: EventRequest): Caller {
  const actor = { kind: 'token', id, name, address } as const;
  return { kind: 'token', principal: { organizationId, scope: 'trigger', actor } };
}
