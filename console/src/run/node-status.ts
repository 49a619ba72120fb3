/** How dbt's word for a node's status counts. Every word that is not known is a failure. */
export type NodeLook = 'good' | 'warn' | 'bad' | 'skipped' | 'busy' | 'waiting';

const looks = new Map<string, NodeLook>([
  ['queued', 'waiting'],
  ['started', 'busy'],
  ['success', 'good'],
  ['pass', 'good'],
  ['no-op', 'good'],
  ['reused', 'good'],
  ['warn', 'warn'],
  ['skipped', 'skipped'],
]);

export const lookOf = (status: string): NodeLook => looks.get(status) ?? 'bad';

export const signOf: Record<NodeLook, string> = {
  good: '✓',
  warn: '◑',
  bad: '✕',
  skipped: '↷',
  busy: '◐',
  waiting: '○',
};

/** Of several, what matters most to whoever looks. */
export const gravest: NodeLook[] = ['bad', 'busy', 'warn', 'skipped', 'waiting', 'good'];

/** What a node is called among people: without its type and package, and of a generic test without its hash. */
export function nameOf(uniqueId: string): string {
  const [type, , ...rest] = uniqueId.split('.');
  if (rest.length === 0) return uniqueId;
  if (type === 'test' && rest.length > 1 && /^[0-9a-f]{10}$/.test(rest.at(-1)!)) rest.pop();
  return rest.join('.');
}
