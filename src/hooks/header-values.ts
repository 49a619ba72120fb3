import { invalidField } from '../errors.ts';
import { hiddenValue } from '../text.ts';

const openNames = new Set(['content-type', 'accept', 'user-agent', 'idempotency-key']);

/** Whether nothing of a header's template can be a secret: what is one has its place, and is named there. */
export function isOpen(name: string, template: string): boolean {
  const literal = template.replace(/\$\{\{.*?\}\}/gs, '').trim();
  return openNames.has(name.toLowerCase()) || /^(Bearer|Basic|Token|Api-Key)?$/i.test(literal);
}

/** As callers see them. */
export function shownHeaders(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isOpen(name, value) ? value : hiddenValue]),
  );
}

/**
 * The headers after a change. What was shown as *** and is sent back is kept; it never goes along to another host than
 * the one that it was given for.
 */
export function changedHeaders(
  known: Record<string, string>,
  wanted: Record<string, string> | undefined,
  isSameHost: boolean,
): Record<string, string> {
  const sent = wanted ?? shownHeaders(known);
  const headers = Object.entries(sent).map(([name, value]) => {
    if (value !== hiddenValue) return [name, value];
    if (!Object.hasOwn(known, name))
      throw invalidField(`/header/${name}`, 'Send the value: none is stored for this header.');
    if (!isSameHost)
      throw invalidField(
        `/header/${name}`,
        'Send the value, or leave the header out: the URL leads to another host than the one it was stored for.',
      );
    return [name, known[name]];
  });
  return Object.fromEntries(headers) as Record<string, string>;
}
