/**
 * Text of others without what a terminal would act on: escape sequences, control characters, and those that turn the
 * direction of writing. On one line.
 */
export function plain(text: string): string {
  return text
    .replace(/[\r\n\t]+/g, ' ')
    .replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '?')
    .trim();
}

/** A line of a log for a terminal: its colours stay, and nothing else that the terminal would act on. */
export function plainLogLine(line: string): string {
  return line.replace(
    // eslint-disable-next-line no-control-regex -- these are what is looked for
    /\u001b\[[\d;]*m|[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu,
    (found) => (found.length > 1 || found === '\t' ? found : '?'),
  );
}
