import { webhookUrlProblem, type Cidr } from '../addresses.ts';
import type { FieldProblem } from '../errors.ts';
import { placeholdersInAll, render, renderAll, templateProblems, type Placeholder } from '../templates.ts';
import { hiddenValue } from '../text.ts';
import { webhookHeaderProblems } from '../webhooks/headers.ts';
import { credentialsIn } from '../webhooks/hidden-forms.ts';
import { isOpen } from './header-values.ts';
import { placeholderProblem, type NamedValues } from './named-values.ts';
import type { HookMethod } from './schema.ts';

export interface HookTemplates {
  method: HookMethod;
  url: string;
  headers: Record<string, string>;
  /** Null: none. */
  body: unknown;
}

export interface HookRequest {
  method: HookMethod;
  url: string;
  headers: Record<string, string>;
  /** JSON. Null: none. */
  body: string | null;
}

export interface RenderedHook {
  /** Null: the templates are not valid. */
  request: HookRequest | null;
  /** The same as anybody may see it. */
  shown: HookRequest | null;
  /** What of it must not be read in what a receiver answers. */
  hide: string[];
  /** Nothing may be sent while there is one. */
  problems: FieldProblem[];
}

const maxPlaceholders = 100;
/** Those of all hooks are recorded while a run ends. */
const maxBodyBytes = 256 * 1_024;

/**
 * Puts values into a hook's templates, and judges what came of it. Pure: `runText` says what the run's names stand for.
 * A value is put in once and never read as a template; in the URL a run's are percent-encoded.
 */
export function renderHook(
  templates: HookTemplates,
  known: NamedValues,
  runText: (name: string) => string,
  allowCidrs: readonly Cidr[],
): RenderedHook {
  const invalid = placesProblems(templates, known);
  if (invalid.length > 0) return { request: null, shown: null, hide: [], problems: invalid };

  const used = new Set<string>();
  const valueOf = ({ scope, name }: Placeholder): string => {
    if (scope === 'variables') return known.variables.get(name) ?? '';
    if (scope !== 'secrets') return runText(name);
    const secret = known.secrets.get(name) ?? '';
    used.add(secret);
    return secret;
  };
  const request = filled(templates, valueOf);
  if (Buffer.byteLength(request.body ?? '') > maxBodyBytes) {
    const detail = `With the values in their places the body is longer than ${maxBodyBytes / 1_024} KiB: shorten it.`;
    return { request: null, shown: null, hide: [], problems: [{ pointer: '/body', detail }] };
  }
  const shown = filled(templates, (each) => (each.scope === 'secrets' ? hiddenValue : valueOf(each)));
  const hidden = Object.entries(templates.headers).filter(([name, value]) => !isOpen(name, value));
  const problems = [
    ...urlProblems(templates.url, request.url, valueOf, allowCidrs),
    ...headerProblems(request.headers),
  ];
  return {
    request,
    shown: {
      ...shown,
      headers: { ...shown.headers, ...namesOf(hidden, request.headers) },
    },
    hide: [...used, ...credentialsIn(hidden.map(([name]) => request.headers[name] ?? ''))],
    problems,
  };
}

/** Where a URL leads whatever its values are; null where values decide that, or it leads nowhere. */
export function fixedOrigin(url: string): string | null {
  return originOf(url, () => null);
}

/** What is wrong with the templates themselves. */
function placesProblems({ url, headers, body }: HookTemplates, known: NamedValues): FieldProblem[] {
  const problemOf = (each: Placeholder) => placeholderProblem(each, known);
  const problems = [
    ...templateProblems(url, '/url', problemOf),
    ...templateProblems(headers, '/header', problemOf),
    ...templateProblems(body, '/body', problemOf),
  ];
  const count = placeholdersInAll([url, headers, body]).length;
  if (count > maxPlaceholders)
    problems.push({
      pointer: '',
      detail: `There are ${count} placeholders: keep at most ${maxPlaceholders}.`,
    });
  return problems;
}

function filled(templates: HookTemplates, valueOf: (each: Placeholder) => string): HookRequest {
  const { method, url, headers, body } = templates;
  const values = Object.entries(headers)
    .map(([name, value]) => [name, withoutOuterSpaces(render(value, valueOf))] as const)
    // Of a run that has no such thing, nothing is told.
    .filter(([name, value]) => value !== '' || headers[name] === '');
  return {
    method,
    url: render(url, (each) => encodedForUrl(each, valueOf(each))),
    headers: Object.fromEntries(values),
    body: body === null ? null : JSON.stringify(renderAll(body, valueOf)),
  };
}

/** In one pass: what a run brings into a header may be spaces without end. */
function withoutOuterSpaces(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && text[start] === ' ') start += 1;
  while (end > start && text[end - 1] === ' ') end -= 1;
  return text.slice(start, end);
}

const isOfRun = ({ scope }: Placeholder) => scope === 'run' || scope === 'erathos';
const encodedForUrl = (each: Placeholder, value: string) =>
  isOfRun(each) ? encodeURIComponent(value) : value;

/** Whoever names a cause or a job must not decide where a request goes to. */
function urlProblems(
  template: string,
  url: string,
  valueOf: (each: Placeholder) => string,
  allowCidrs: readonly Cidr[],
): FieldProblem[] {
  const refuse = (detail: string) => [{ pointer: '/url', detail }];
  const problem = webhookUrlProblem(url, allowCidrs, 'send them in the header Authorization, from a secret');
  if (problem !== null) return refuse(problem);
  const origin = originOf(template, (each) => (isOfRun(each) ? null : valueOf(each)));
  if (origin === null || origin !== new URL(url).origin)
    return refuse(
      'Write the scheme, host and port without values of the run, and a / after them: only variables and secrets may stand there.',
    );
  const path = url.replace(/[?#].*$/s, '').split(/[/\\]/);
  if (path.some((part) => /^\.{1,2}$/.test(part.replaceAll(/%2e/gi, '.'))))
    return refuse('A part of the path is "." or "..": the request would lead to another address.');
  return [];
}

/**
 * The origin that stands before the first value that is not known (null); null where that value might still change it,
 * as one behind a user name does: `https://${{variables.any}}@example.com/`.
 */
function originOf(template: string, valueOf: (each: Placeholder) => string | null): string | null {
  const [known = '', ...unknown] = render(template, (each) => valueOf(each) ?? '\0').split('\0');
  const isFixed = unknown.length === 0 || /^https?:\/\/[^/\\?#@]+[/\\?#]/i.test(known);
  if (!isFixed || !URL.canParse(known)) return null;
  const { protocol, origin } = new URL(known);
  return protocol === 'https:' || protocol === 'http:' ? origin : null;
}

function headerProblems(headers: Record<string, string>): FieldProblem[] {
  const problems = webhookHeaderProblems(headers, { mayBe: ['content-type'] }).map(({ name, detail }) => ({
    pointer: name === '' ? '/header' : `/header/${name}`,
    detail,
  }));
  const types = Object.entries(headers).filter(([name]) => name.toLowerCase() === 'content-type');
  const others = types.filter(([, type]) => !/^application\/(json|[\w.-]+\+json)\s*(;|$)/i.test(type));
  const detail = 'Write a JSON type, such as application/json: the body is sent as JSON.';
  return [...problems, ...others.map(([name]) => ({ pointer: `/header/${name}`, detail }))];
}

const namesOf = (hidden: [string, string][], sent: Record<string, string>) =>
  Object.fromEntries(
    hidden.filter(([name]) => Object.hasOwn(sent, name)).map(([name]) => [name, hiddenValue]),
  );
