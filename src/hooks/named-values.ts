import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import type { Placeholder } from '../templates.ts';
import { isRunName, runNames } from './run-values.ts';
import { secretPlace } from './sealed-fields.ts';
import { listValues, maxValues } from './store.ts';

/** The variables and secrets of an organization, for those who fill templates. */
export interface NamedValues {
  variables: ReadonlyMap<string, string>;
  /** Null: it was sealed with a key that this process does not have. */
  secrets: { has(name: string): boolean; get(name: string): string | null };
}

/** A secret is opened when it is asked for, once. */
export async function namedValues(
  tx: Transaction,
  { secrets, log }: Pick<Context, 'secrets' | 'log'>,
  organizationId: string,
): Promise<NamedValues> {
  const all = { after: undefined, limit: maxValues };
  const variables = await listValues(tx, 'variables', organizationId, all);
  const sealed = new Map(
    (await listValues(tx, 'secrets', organizationId, all)).map((each) => [each.name, each]),
  );
  const opened = new Map<string, string | null>();
  return {
    variables: new Map(variables.map(({ name, value }) => [name, value])),
    secrets: {
      has: (name) => sealed.has(name),
      get(name) {
        if (!opened.has(name)) opened.set(name, open(name));
        return opened.get(name) ?? null;
      },
    },
  };

  function open(name: string): string | null {
    const stored = sealed.get(name);
    if (stored === undefined) return null;
    try {
      return secrets.open(stored.value, secretPlace(stored.id));
    } catch (error) {
      log.error({ error, secret: stored.id }, 'a secret does not open with any of the keys of this process');
      return null;
    }
  }
}

/** What is wrong with a placeholder of a hook, as a sentence; null when nothing is. */
export function placeholderProblem({ scope, name }: Placeholder, known: NamedValues): string | null {
  switch (scope) {
    case 'variables':
      if (known.variables.has(name)) return null;
      return `There is no variable ${name}: create it first, or name one that is there.`;
    case 'secrets':
      if (!known.secrets.has(name))
        return `There is no secret ${name}: create it first, or name one that is there.`;
      if (known.secrets.get(name) !== null) return null;
      return `The secret ${name} was sealed with another DCTL_SECRET_KEY: set its value again.`;
    case 'run':
    case 'erathos':
      return isRunName(name) ? null : `${name} is nothing of a run: write one of ${runNames.join(', ')}.`;
    default:
      return `There is no ${scope}: write \${{variables.name}}, \${{secrets.name}} or \${{run.NAME}}.`;
  }
}
