import type { Principal } from '../context.ts';
import { roleOfScope, scopes, type Scope } from '../scopes.ts';
import { AppError } from '../errors.ts';

/** Refuses whoever may do less than `needed`. */
export function requireScope({ scope, actor }: Principal, needed: Scope): void {
  if (scopes.indexOf(scope) >= scopes.indexOf(needed)) return;
  throw new AppError(
    'forbidden',
    actor.kind === 'user'
      ? `This call needs the role "${roleOfScope[needed]}"; yours in this organization is "${roleOfScope[scope]}".`
      : `This call needs a token with the scope "${needed}"; this one has "${scope}".`,
  );
}
