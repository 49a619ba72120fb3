import type { Condition } from '../conditions.ts';
import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import { AppError, type FieldProblem } from '../errors.ts';
import { changedAuth, type AirflowAuth, type AuthFields } from '../webhooks/webhook-auth.ts';
import { changedHeaders, isOpen } from './header-values.ts';
import { namedValues, type NamedValues } from './named-values.ts';
import { fixedOrigin, renderHook, type HookTemplates } from './render-hook.ts';
import { isRunName, runNames } from './run-values.ts';
import type { HookChange, NewHook } from './schema.ts';
import { findJobsOf } from './store.ts';

/** A hook with its templates readable. */
export interface OpenHook extends HookTemplates {
  description: string;
  active: boolean;
  auth: AirflowAuth | null;
  rules: Condition[];
  /** Empty: all of the organization. */
  jobIds: string[];
}

type Given = Pick<Context, 'config' | 'secrets' | 'log'>;

/**
 * The hook that a change makes of the one there is, or a new one (`current` is null). Refuses what could not be sent:
 * each name in a template is there, and with values of now in place of all of them it is a request that may be sent.
 */
export async function checkedHook(
  tx: Transaction,
  context: Given,
  organizationId: string,
  current: OpenHook | null,
  change: NewHook | HookChange,
): Promise<OpenHook> {
  const allowCidrs = context.config.DCTL_WEBHOOK_ALLOW_CIDRS;
  const { hook, isSameHost, known, problems } = await draftHook(tx, context, organizationId, current, change);
  const { request, problems: ofRequest } = renderHook(hook, known, () => sample, allowCidrs);
  refuseAny([...ofRequest, ...problems]);
  const hasAuthorization = Object.keys(hook.headers).some((name) => name.toLowerCase() === 'authorization');
  const receiver = { url: request?.url ?? null, hasAuthorization, isSameHost };
  return { ...hook, auth: changedAuth(current?.auth ?? null, change.auth, receiver, allowCidrs, fields) };
}

/** The same without its sign-in, and with everything that is wrong with it but for what renders it. */
export async function draftHook(
  tx: Transaction,
  context: Given,
  organizationId: string,
  current: OpenHook | null,
  change: NewHook | HookChange,
): Promise<{ hook: OpenHook; isSameHost: boolean; known: NamedValues; problems: FieldProblem[] }> {
  const before = current ?? emptyHook;
  const url = change.url ?? before.url;
  const origin = fixedOrigin(url);
  const isSameHost = origin !== null && origin === fixedOrigin(before.url);
  const hook: OpenHook = {
    description: change.description ?? before.description,
    active: change.is_active ?? before.active,
    method: change.method ?? before.method,
    url,
    headers: changedHeaders(before.headers, change.header, isSameHost),
    body: change.body === undefined ? before.body : change.body,
    auth: null,
    rules: change.rules ?? before.rules,
    jobIds: change.jobs ?? before.jobIds,
  };
  const problems = [
    ...bodyProblems(hook),
    ...secretHeaderProblems(hook, origin),
    ...ruleProblems(hook.rules),
    ...(await jobProblems(tx, organizationId, hook.jobIds, before.jobIds)),
    ...authProblems(change.auth, { origin, isLost: before.auth !== null && !isSameHost }),
  ];
  return { hook, isSameHost, known: await namedValues(tx, context, organizationId), problems };
}

const sample = 'sample';
const fields: AuthFields = { url: 'url', headers: 'header', auth: 'auth' };

const emptyHook: OpenHook = {
  description: '',
  active: true,
  method: 'POST',
  url: '',
  headers: {},
  body: null,
  auth: null,
  rules: [],
  jobIds: [],
};

function bodyProblems({ method, body }: OpenHook): FieldProblem[] {
  if (body === null || (method !== 'GET' && method !== 'DELETE')) return [];
  return [{ pointer: '/body', detail: `Set the body to null: a ${method} has none.` }];
}

/** What is given for one host must not follow a variable to another. */
function secretHeaderProblems({ headers }: OpenHook, origin: string | null): FieldProblem[] {
  if (origin !== null) return [];
  const detail =
    'Put the credential into a secret and write ${{secrets.name}} in its place: where the host is made of values, no other is kept.';
  return Object.entries(headers)
    .filter(([name, value]) => !isOpen(name, value))
    .map(([name]) => ({ pointer: `/header/${name}`, detail }));
}

function ruleProblems(rules: Condition[]): FieldProblem[] {
  return rules.flatMap(({ variable_name: name }, index) => {
    if (isRunName(name)) return [];
    const detail = `${name} is nothing of a run: write one of ${runNames.join(', ')}.`;
    return [{ pointer: `/rules/${index}/variable_name`, detail }];
  });
}

async function jobProblems(
  tx: Transaction,
  organizationId: string,
  ids: string[],
  had: string[],
): Promise<FieldProblem[]> {
  if (ids.length === 0) return [];
  const found = new Set(await findJobsOf(tx, organizationId, ids, had));
  return ids.flatMap((id, index) =>
    found.has(id) ? [] : [{ pointer: `/jobs/${index}`, detail: 'There is no such job.' }],
  );
}

function authProblems(
  auth: HookChange['auth'],
  { origin, isLost }: { origin: string | null; isLost: boolean },
): FieldProblem[] {
  if (auth === null || (auth === undefined && !isLost)) return [];
  if (auth === undefined) {
    const detail = 'Send auth again, or null: the URL leads to another host than the one it was stored for.';
    return [{ pointer: '/auth', detail }];
  }
  const templates = Object.entries(auth).filter(([, value]) => value?.includes('${{'));
  const problems = templates.map(([name]) => ({
    pointer: `/auth/${name}`,
    detail: 'Write the value itself: there are no placeholders in auth.',
  }));
  const detail = 'Write the host of the url without placeholders: a password is kept for one host.';
  return origin === null ? [...problems, { pointer: '/url', detail }] : problems;
}

function refuseAny(problems: FieldProblem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  throw new AppError('invalid_request', first.detail, { problems });
}
