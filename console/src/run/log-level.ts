export type Level = 'info' | 'warn' | 'error';

const summary = /\b(PASS|WARN|ERROR|SKIP)=\d/;
const failed = /\b(ERROR|FAIL|FAILED|Failure|Traceback|Exception|CRITICAL|\w*Error|Encountered an error)\b/;
const warned =
  /\b(WARN|WARNING|Warning|SKIP|Deprecat\w+)\b|does not match any (enabled )?nodes|selection criterion .* does not match|Nothing to do\. Try/;
const red = '\u001b[31m';
const yellow = '\u001b[33m';
const asJson = /"level":\s*"(\w+)"/;
const time = /^\d\d:\d\d:\d\d(\.\d+)?\s\s/;

/** How grave a line of a log is. dbt's text does not say it in a field of its own. */
export function levelOf(raw: string, plain: string, before: Level): Level {
  if (plain.startsWith('{')) {
    const said = asJson.exec(plain)?.[1];
    if (said !== undefined)
      return said === 'error' || said === 'critical' ? 'error' : said.startsWith('warn') ? 'warn' : 'info';
  }
  if (summary.test(plain)) return 'info';
  if (raw.includes(red) || failed.test(plain)) return 'error';
  if (raw.includes(yellow) || warned.test(plain)) return 'warn';
  // What stands indented below an error, or has no time of its own, belongs to it.
  return before !== 'info' && isContinued(plain) ? before : 'info';
}

/** Whether the line goes on with what the one above began. */
export function isContinued(plain: string): boolean {
  const text = plain.replace(time, '');
  const hasTime = text.length < plain.length;
  return plain.trim() !== '' && (!hasTime || /^\s+\S/.test(text));
}
