import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createMask } from '../../worker/masking.ts';
import { formsOf } from '../../worker/secret-forms.ts';

const stars = '*****';

/** Few letters, so that secrets begin like each other, overlap, and stand in the text by chance. */
const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 14 });
const secretLists = fc.array(
  letters.filter((value) => value.length >= 6),
  { minLength: 1, maxLength: 4 },
);

function inPieces(mask: ReturnType<typeof createMask>, content: Buffer, sizes: number[]): string {
  const stream = mask.stream();
  const output: Buffer[] = [];
  for (let at = 0, turn = 0; at < content.length; turn += 1) {
    const size = sizes[turn % sizes.length]!;
    output.push(stream.write(content.subarray(at, at + size)));
    at += size;
  }
  return Buffer.concat([...output, stream.end()]).toString('latin1');
}

/** Slow and plain: mark every byte that belongs to a form, then write one `*****` for each stretch. */
function byHand(secrets: string[], content: Buffer): string {
  const text = content.toString('latin1');
  const forms = formsOf(secrets).map((form) => form.toString('latin1'));
  const stretches: { from: number; to: number }[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const length = Math.max(
      0,
      ...forms.filter((form) => text.startsWith(form, at)).map((form) => form.length),
    );
    const last = stretches.at(-1);
    if (length === 0) continue;
    if (last !== undefined && at < last.to) last.to = Math.max(last.to, at + length);
    else stretches.push({ from: at, to: at + length });
  }
  let shown = '';
  let from = 0;
  for (const stretch of stretches) {
    shown += text.slice(from, stretch.from) + stars;
    from = stretch.to;
  }
  return shown + text.slice(from);
}

test('however the output is cut into pieces, the same of it is masked', () => {
  fc.assert(
    fc.property(
      secretLists,
      fc.array(letters, { maxLength: 12 }),
      fc.array(fc.nat(3), { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
      (secrets, words, places, sizes) => {
        const planted = places.map((place, turn) => secrets[place % secrets.length]! + (words[turn] ?? ''));
        const content = Buffer.from([...words, ...planted].join(''));
        const mask = createMask(secrets);
        const expected = byHand(secrets, content);
        expect(inPieces(mask, content, [content.length || 1])).toBe(expected);
        expect(inPieces(mask, content, sizes)).toBe(expected);
        expect(mask.finds(content)).toBe(expected !== content.toString('latin1'));
      },
    ),
    { numRuns: 500 },
  );
});

test('a line that is not the beginning of a secret is let through at once', () => {
  const stream = createMask(['hunter2-hunter2']).stream();
  expect(stream.write(Buffer.from('1 of 3 OK\nhunter'))).toEqual(Buffer.from('1 of 3 OK\n'));
  expect(stream.write(Buffer.from(' asks\n'))).toEqual(Buffer.from('hunter asks\n'));
  expect(stream.write(Buffer.from('hunter2-hunt'))).toHaveLength(0);
  expect(stream.write(Buffer.from('er2-hunter2\n')).toString()).toBe(`${stars}\n`);
});

/** Each program writes the secret it finds in its environment some other way. */
const pythonForms = [
  'print(s)',
  'print(repr(s))',
  'print(repr(s.encode()))',
  'print(json.dumps({"a": s}))',
  'print(json.dumps({"a": s}, ensure_ascii=False))',
  'print(json.dumps(json.dumps({"a": s})))',
  'print(parse.quote(s), parse.quote(s, safe=""), parse.quote_plus(s))',
  'print(base64.b64encode(s.encode()).decode(), base64.urlsafe_b64encode(s.encode()).decode())',
  'print(base64.b64encode(("user:" + s).encode()).decode(), base64.b64encode(("name:" + s + ":x").encode()).decode())',
  'print(s.encode().hex(), s.encode().hex().upper())',
  'print("select \'" + s.replace("\'", "\'\'") + "\'")',
  'print(html.escape(s).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"))',
];

describe.each([
  ['a plain password', 'correct-horse-42'],
  ['one with every sign', `p@ss w/"quo'tes" \\back\\ & <ünï> +=%~!(*)\tend`],
  ['one of six characters', 'xK4-9q'],
])('%s', (_, secret) => {
  test('is masked in every form that Python writes it in', () => {
    const program = `import base64, html, json, os\nfrom urllib import parse\ns = os.environ['S']\n${pythonForms.join('\n')}`;
    const printed = execFileSync('python3', ['-c', program], {
      env: { PATH: process.env['PATH'], S: secret },
    });
    const masked = createMask([secret]).text(printed.toString()).split('\n');
    for (const [line, form] of pythonForms.entries()) {
      expect({ form, masked: masked[line] }).toEqual({ form, masked: expect.stringContaining(stars) });
      // What is left around it tells nothing: quotes, names, and the bits that base64 shares with its neighbours.
      expect(masked[line]!.replaceAll(stars, '').length).toBeLessThan(26);
    }
  });
});

describe('a secret of several lines', () => {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const mask = createMask([privateKey]);
  const lines = privateKey.trim().split('\n').slice(1, -1);

  test('is masked line by line too, whatever is written between the lines', () => {
    const written = lines.map((line, number) => `${number}: ${line}`).join('\r\n');
    const masked = mask.text(written);
    for (const line of lines.filter(({ length }) => length >= 16))
      expect(masked).not.toContain(line.slice(0, 12));
  });

  test('is masked as JSON and in base64', () => {
    expect(mask.text(JSON.stringify({ private_key: privateKey }))).toBe(`{"private_key":"${stars}"}`);
    const encoded = mask.text(`key ${Buffer.from(privateKey).toString('base64')}`);
    expect(encoded).toMatch(/^key \*{5}.{0,4}$/);
  });

  test('is not looked for by the lines that every key has', () => {
    expect(mask.text('-----BEGIN PRIVATE KEY-----')).toBe('-----BEGIN PRIVATE KEY-----');
  });
});

test('values of less than six characters are left alone, and so is all when there is no secret', () => {
  for (const mask of [createMask(['short', '']), createMask([])]) {
    expect(mask.text('short circuit')).toBe('short circuit');
    expect(mask.finds(Buffer.from('short circuit'))).toBe(false);
    expect(mask.stream().write(Buffer.from('short')).toString()).toBe('short');
  }
});

test('a line break behind a value that was pasted does not hide it', () => {
  expect(createMask(['pasted-token\n']).text('token=pasted-token;')).toBe(`token=${stars};`);
});

test('a long text that was cut in the middle of a secret does not end in its first half', () => {
  const secret = 'a-secret-of-some-length';
  const message = `${'x'.repeat(4_096)}${secret}`.slice(0, 4_096 + 12);
  expect(createMask([secret]).text(message)).not.toContain('a-secret');
  expect(createMask([secret]).text('the end of a-secret')).toBe('the end of a-secret');
});
