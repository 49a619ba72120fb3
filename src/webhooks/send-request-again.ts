import { randomUUID } from 'node:crypto';
import type { Context, Principal } from '../context.ts';
import type { Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { openDelivery, sealedForHook } from './record-delivery.ts';
import { insertDelivery, type findDelivery } from './store.ts';

type Stored = NonNullable<Awaited<ReturnType<typeof findDelivery>>> & { hookId: string };

/**
 * A hook's request once more, exactly as it was: its values were those of the run's end. With an id of its own, so a
 * receiver does not take it for the earlier one. Returns the new delivery's id.
 */
export async function sendRequestAgain(
  tx: Transaction,
  { secrets }: Pick<Context, 'secrets'>,
  { actor }: Principal,
  earlier: Stored,
): Promise<string> {
  const { hook, hookId, runId, jobId, event, url, body } = earlier;
  if (hook === null || hook.deletedAt !== null) throw conflict('The delivery is of a hook that was deleted.');
  if (!hook.active)
    throw conflict('The delivery is of a hook that is switched off. Set its is_active to true first.');
  if (earlier.request === null)
    throw conflict('This delivery could not be put together, so there is nothing to send again.');
  const id = randomUUID();
  await insertDelivery(tx, {
    id,
    runId,
    jobId,
    hookId,
    kind: 'sent_again',
    event,
    url,
    body,
    ...sealedForHook(id, openDelivery(earlier, secrets), secrets),
    state: 'pending',
    sentAgainOf: earlier.id,
    requestedBy: actor.name,
  });
  return id;
}

const conflict = (detail: string) => new AppError('conflict', detail);
