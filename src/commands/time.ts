const timePattern = /^(\d{4})-(\d\d?)-(\d\d?)(?:[Tt ]+(\d\d?):(\d\d):(\d\d)(?:\.\d*)?(?: *[-+](\d\d?))?)?/;

/** Whether the date exists, and the time of day and the zone where the text goes on with them: 2024-02-30 does not. */
export function isRealTime(text: string): boolean {
  const found = timePattern.exec(text);
  if (!found) return false;
  const numbers = found.slice(1).map((digits) => Number(digits ?? 0));
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, zone = 0] = numbers;
  const date = new Date(Date.UTC(year, month - 1, day));
  // A day that does not exist lands in another month.
  return year > 0 && date.getUTCMonth() === month - 1 && hour < 24 && minute < 60 && second < 60 && zone < 24;
}
