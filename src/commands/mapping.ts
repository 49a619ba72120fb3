import { isAlias, isCollection, isPair, isScalar, parseDocument, visit } from 'yaml';
import type { Document, Pair, Scalar } from 'yaml';
import { isRealTime } from './time.ts';

export type Mapping = { values: Record<string, unknown> } | { problem: string };

const maxDepth = 20;
const maxKeyLength = 128;
/** One mark costs the YAML reader up to 10 µs; this many stay well below the 5 ms one check may take. */
const maxYamlMarks = 200;
const yamlMarks = /[,:[\]{}"'!*?]|- /g;

/**
 * Reads the mapping in `--vars` and its like. It must be plain data that dbt's own reader, for YAML 1.1, takes as
 * well, so tags, aliases and everything the two read differently are refused. JSON, a part of YAML, goes to the JSON
 * reader, which is fast enough for a command that consists of little else.
 */
export function readMapping(text: string): Mapping {
  // JSON spells an emoji as two such escapes, which dbt's reader refuses.
  if (/(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]/.test(text)) {
    return {
      problem: String.raw`must not spell a character as a pair of \u escapes; write the character itself`,
    };
  }
  const read = readJson(text) ?? readYaml(text);
  if ('problem' in read) return read;
  const { value } = read;
  if (!isRecord(value)) return { problem: notAMapping };
  const problem = shapeProblem(value, 1);
  return problem === undefined ? { values: value } : { problem };
}

const notAMapping = 'must be a mapping such as \'{"key": "value"}\'';

function readJson(text: string): { value: unknown } | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function readYaml(text: string): { value: unknown } | { problem: string } {
  if ((text.match(yamlMarks) ?? []).length > maxYamlMarks) {
    return { problem: 'is too large to be read as YAML; write the mapping as JSON' };
  }
  const { stackTraceLimit } = Error;
  try {
    // The reader makes an Error for each mistake, and their stack traces would take most of its time.
    Error.stackTraceLimit = 0;
    const options = { version: '1.1', uniqueKeys: false, prettyErrors: false, logLevel: 'silent' } as const;
    const document = parseDocument(text, options);
    if (document.errors.length > 0 || document.warnings.length > 0) {
      return { problem: `${notAMapping}, and this is not valid YAML` };
    }
    const problem = documentProblem(document, text);
    return problem === undefined ? { value: document.toJS({ maxAliasCount: 0 }) } : { problem };
  } catch {
    return { problem: `${notAMapping}, and this cannot be read as YAML` };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function documentProblem(document: Document, text: string): string | undefined {
  let problem: string | undefined;
  visit(document, (_key, node) => {
    problem = nodeProblem(node, node === document.contents, text);
    return problem === undefined ? undefined : visit.BREAK;
  });
  return problem;
}

function nodeProblem(node: unknown, isRoot: boolean, text: string): string | undefined {
  if (isPair(node)) return keyProblem(node, text);
  if (isAlias(node)) return 'must not contain aliases; write the value in each place';
  if ((isScalar(node) || isCollection(node)) && node.tag !== undefined) {
    return 'must be plain data without tags; put quotes around a value that starts with !';
  }
  if (isCollection(node) && !node.flow && !isRoot) return 'must have brackets around an inner list';
  return isScalar(node) ? scalarProblem(node, text) : undefined;
}

function keyProblem({ key }: Pair, text: string): string | undefined {
  if (!isScalar(key) || !key.range) return 'must have names as keys';
  const isPlain = key.type === 'PLAIN';
  if (isPlain && !/^[\p{L}\p{Nd}_]/u.test(key.source ?? '')) return 'must have names as keys';
  // YAML reads {a:1} as one key named "a:1", without a value.
  const following = text.slice(key.range[1], key.range[1] + 20).trimStart();
  if (!following.startsWith(':') || (isPlain && !/^:(?: |$)/.test(following))) {
    return 'has a key without a value; write a colon and a space after each key';
  }
  return undefined;
}

/** What dbt's reader stops at although this one does not. */
function scalarProblem({ type, source = '', range }: Scalar, text: string): string | undefined {
  if (type !== 'PLAIN') {
    const isClosed = /^(?:'(?:[^']|'')*'|"(?:[^"\\]|\\.)*")$/.test(text.slice(range?.[0], range?.[1]));
    return isClosed ? undefined : 'has a quote that is never closed';
  }
  if (/^\d{4}-\d\d?-\d\d?(?:[Tt ]|$)/.test(source) && !isRealTime(source)) {
    return 'contains a date that does not exist; correct it, or put quotes around it to keep it as text';
  }
  if (source === '=' || /^[:?]|:[:?]|^[-+]?0[bx]_+$/.test(source)) {
    return 'has a value of punctuation; put quotes around it';
  }
  return undefined;
}

function shapeProblem(value: unknown, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > maxDepth) return `must not be nested more than ${maxDepth} levels deep`;
  for (const [key, inner] of Object.entries(value)) {
    if (key.length > maxKeyLength) return `must have keys of at most ${maxKeyLength} characters`;
    const problem = shapeProblem(inner, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
