/** Shorter values would be found in words that have nothing to do with them. */
const minCharacters = 6;
const minLineCharacters = 16;

/**
 * Every text that a secret is looked for as, the longest first: as it is, and as dbt, Python, JSON, SQL, HTML, URLs, base64 and hex write
 * it. A secret of several lines, such as a key, is looked for line by line too.
 */
export function formsOf(secrets: readonly string[]): Buffer[] {
  const forms = new Set(secrets.flatMap(partsOf).flatMap(written));
  return [...forms].map((form) => Buffer.from(form)).toSorted((a, b) => b.length - a.length);
}

function partsOf(secret: string): string[] {
  const lines = secret.split(/\r\n|\r|\n/).map((line) => line.trim());
  const isKept = (line: string) => line.length >= minLineCharacters && !/^-----[A-Z ]+-----$/.test(line);
  const parts = [secret, secret.trim(), ...(lines.length > 1 ? lines.filter(isKept) : [])];
  return parts.filter((part) => part.length >= minCharacters);
}

function written(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  return [
    ...[secret, inSql(secret), inHtml(secret), ...inPython(secret)].flatMap(alsoInJson),
    ...inUrl(secret),
    ...inBase64(bytes),
    hex,
    hex.toUpperCase(),
  ];
}

/** Twice too: a log line, or compiled code, may itself be part of a JSON document. */
function alsoInJson(text: string): string[] {
  const once = inJson(text);
  return [text, ...once, ...once.flatMap(inJson)];
}

function inJson(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = escapedAbove(json, 0x7e);
  return [json, ascii, inHtmlJson(json), inHtmlJson(ascii)];
}

function inSql(secret: string): string {
  return secret.replaceAll("'", "''");
}

/** `\uXXXX`, as Python's json.dumps writes what is not ASCII. */
function escapedAbove(text: string, highest: number): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return text.replace(/[^]/g, (unit) => (unit.charCodeAt(0) > highest ? escaped(unit) : unit));
}

/** JSON inside of HTML, as Jinja's `tojson` writes it. */
function inHtmlJson(json: string): string {
  return json.replace(/[<>&']/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
}

/** What `repr` writes between the quotes, of the text and of its bytes. */
function inPython(secret: string): string[] {
  const named: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  const hex = (code: number) => `\\x${code.toString(16).padStart(2, '0')}`;
  const text = secret.replace(/[\\\p{Cc}]/gu, (sign) => named[sign] ?? hex(sign.charCodeAt(0)));
  const bytes = [...Buffer.from(secret)]
    .map(
      (byte) =>
        named[String.fromCharCode(byte)] ??
        (byte < 0x20 || byte > 0x7e ? hex(byte) : String.fromCharCode(byte)),
    )
    .join('');
  return [text, bytes].flatMap((form) => [form, form.replaceAll("'", "\\'")]);
}

function inUrl(secret: string): string[] {
  const component = encodeURIComponent(secret);
  const strict = component.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  // Python leaves slashes as they are unless told otherwise.
  const forms = [component, strict, strict.replaceAll('%2F', '/')];
  return forms
    .flatMap((form) => [form, form.replaceAll('%20', '+')])
    .flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]);
}

function inHtml(secret: string): string {
  const named: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    "'": '&#39;',
  };
  return secret.replace(/[&<>"']/g, (sign) => named[sign] ?? sign);
}

/** The characters that are the same whatever stands before and behind the secret, for each of its three places. */
function inBase64(secret: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const bits = (before + secret.length) * 8;
    const encoded = Buffer.concat([Buffer.alloc(before), secret]).toString('base64');
    const stable = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(bits / 6));
    return [stable, stable.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
