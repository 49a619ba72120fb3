/** What of header values a receiver may repeat: a credential may stand behind the name of its scheme. */
export function credentialsIn(values: readonly string[]): string[] {
  return values.flatMap((value) => [value, ...value.split(' ').slice(1)]);
}

/** The forms in which these texts may come back in an answer, longest first: masking a part would leave the rest readable. */
export function hiddenForms(values: readonly string[]): string[] {
  const forms = values.flatMap((value) => [value, value.trim()]).flatMap(formsOf);
  return [...new Set(forms)].filter((form) => form !== '').toSorted((a, b) => b.length - a.length);
}

/** As such, in JSON, in JSON that is a text in JSON, in a URL, in HTML. */
function formsOf(value: string): string[] {
  const inJson = JSON.stringify(value).slice(1, -1);
  const twice = JSON.stringify(inJson).slice(1, -1);
  const whole = value.toWellFormed();
  return [
    value,
    // An answer is kept without control characters.
    value.replace(/(?![\n\t])\p{Cc}/gu, ''),
    ...[inJson, twice].flatMap(asOthersWriteJson),
    encodeURIComponent(whole),
    encodeURI(whole),
    // As a URL's path and its query are sent.
    whole.replace(/[^\x21-\x7e]+|["<>^`{}]/g, encodeURIComponent),
    whole.replace(/[^\x21-\x7e]+|["'<>]/g, encodeURIComponent),
    value.replace(/[&<>"']/g, (character) => `&${htmlNames[character]};`),
  ];
}

const htmlNames: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": '#39' };

/** What JavaScript writes as it is, or with a backslash, others write as the number of the character. */
function asOthersWriteJson(json: string): string[] {
  const ofPython = escaped(json, /[^\x20-\x7e]/g);
  const ofGo = escaped(json, /[<>&]/g);
  const ofDotNet = escaped(json.replaceAll('\\"', '"'), /[^\x20-\x7e]|["&'+<>`]/g, (hex) =>
    hex.toUpperCase(),
  );
  return [json, ofPython, ofGo, ofDotNet, json.replaceAll('/', '\\/'), ofPython.replaceAll('/', '\\/')];
}

function escaped(json: string, which: RegExp, written = (hex: string) => hex): string {
  return json.replace(which, (unit) => `\\u${written(unit.charCodeAt(0).toString(16).padStart(4, '0'))}`);
}
