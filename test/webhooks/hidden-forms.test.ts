import { expect, test } from '@jest/globals';
import { hiddenForms } from '../../src/webhooks/hidden-forms.ts';

const secret = 'p"a\\s/s+w<ö😀\nrd';

test.each([
  ['as it is', secret],
  ['without the spaces around it, which no header has', 'abc'],
  ['in JSON', JSON.stringify({ echo: secret })],
  ['in JSON that is a text in JSON', JSON.stringify({ data: JSON.stringify({ echo: secret }) })],
  ['as PHP writes JSON', '"p\\"a\\\\s\\/s+w<\\u00f6\\ud83d\\ude00\\nrd"'],
  ['as Python writes JSON', '"p\\"a\\\\s/s+w<\\u00f6\\ud83d\\ude00\\nrd"'],
  ['as Go writes JSON', '"p\\"a\\\\s/s+w\\u003cö😀\\nrd"'],
  ['as .NET writes JSON', '"p\\u0022a\\\\s/s\\u002Bw\\u003C\\u00F6\\uD83D\\uDE00\\nrd"'],
  ['as JSON in JSON of .NET', '"p\\\\\\u0022a\\\\\\\\s/s\\u002Bw\\u003C\\u00F6\\uD83D\\uDE00\\\\nrd"'],
  ['in a text without control characters', 'a\nbc'],
  ['in a parameter', `?a=${encodeURIComponent(secret)}`],
  ['in HTML', 'p&quot;a\\s/s+w&lt;ö😀\nrd'],
])('a secret is hidden %s', (_how, answer) => {
  const shown = hiddenForms([secret, ' abc ', 'a\r\nbc']).reduce(
    (rest, form) => rest.replaceAll(form, '***'),
    answer,
  );
  expect(shown).toContain('***');
  expect(shown).not.toMatch(/rd|bc|s\/s|w</);
});

test.each(['/a|b<c^d%e', '?a|b<c^d%e'])('a secret is hidden as it was sent in a URL: %s', (secret) => {
  const { pathname, search } = new URL(secret, 'https://example.com');
  expect(hiddenForms([secret.slice(1)])).toContain(`${pathname}${search}`.replace(/^\/?\??/, ''));
});

test('what has no form is nothing, and a part never comes before the whole', () => {
  expect(hiddenForms(['', ' '])).toEqual(['%20', ' ']);
  expect(hiddenForms(['a', 'abc', 'ab'])).toEqual(['abc', 'ab', 'a']);
});
