import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { placeholdersInAll, type Placeholder } from '../templates.ts';
import { openHeaders } from './sealed-fields.ts';
import { listHooks, maxHooks, type StoredHook } from './store.ts';

/** What a hook names stays: it could not be sent any more. */
export async function refuseWhileNamed(
  tx: Transaction,
  { secrets }: Pick<Context, 'secrets'>,
  organizationId: string,
  value: Placeholder,
  change: 'deleted' | 'renamed',
): Promise<void> {
  const hooks = await listHooks(tx, organizationId, { after: undefined, limit: maxHooks });
  const naming = hooks.find((hook) => names(hook, value, secrets));
  if (naming === undefined) return;
  const which = naming.description === '' ? naming.id : `${naming.id} (${naming.description})`;
  throw new AppError(
    'conflict',
    `${value.name} can't be ${change}: the hook ${which} names it. Change or delete that hook first.`,
  );
}

function names(hook: StoredHook, { scope, name }: Placeholder, secrets: Context['secrets']): boolean {
  const templates = [hook.url, bodyOf(hook), headersOf(hook, secrets)];
  return placeholdersInAll(templates).some((each) => each.scope === scope && each.name === name);
}

const bodyOf = ({ body }: StoredHook): unknown => (body === null ? null : JSON.parse(body));

/** None, where this process has another key: then it is not sent either. */
function headersOf(hook: StoredHook, secrets: Context['secrets']): Record<string, string> {
  try {
    return openHeaders(hook, secrets);
  } catch {
    return {};
  }
}
