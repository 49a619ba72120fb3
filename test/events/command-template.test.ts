import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseCommand } from '../../src/commands/parse-command.ts';
import { fieldAt } from '../../src/conditions.ts';
import {
  commandTemplateProblem,
  readCommandTemplate,
  renderCommand,
} from '../../src/events/command-template.ts';
import { gather, pathsOfAll, valuesOf } from '../../src/events/values.ts';

const at = new Date('2026-04-02T12:00:00Z');

/** What becomes of a template with one event, or several that were gathered. */
function rendered(template: string, ...events: unknown[]) {
  const read = readCommandTemplate(template);
  if ('problem' in read) throw new Error(read.problem);
  const gathered = events.reduce<Parameters<typeof gather>[0]>(
    (before, data, place) => gather(before, { id: `e${place}`, data, createdAt: at }, pathsOfAll([template])),
    null,
  );
  return renderCommand(read, valuesOf(gathered!, 'erathos'));
}

const argvOf = (template: string, ...events: unknown[]) => {
  const became = rendered(template, ...events);
  return 'argv' in became ? became.argv : became;
};

describe('a template', () => {
  const event = { table: 'orders', rows: 5, on: true, deep: { name: 'raw.orders' }, day: '2026-04-01' };

  test.each<[template: string, argv: string[]]>([
    ['dbt build --select ${{event.table}}', ['build', '--select', 'orders']],
    ['dbt build --select ${{ event.table }}+', ['build', '--select', 'orders+']],
    ['dbt build -s source:${{event.deep.name}}+ tag:x', ['build', '-s', 'source:raw.orders+', 'tag:x']],
    ['dbt run --select=${{event.table}}', ['run', '--select=orders']],
    ['dbt run --threads ${{event.rows}} -q', ['run', '--threads', '5', '-q']],
    [
      'dbt run --event-time-start ${{event.day}} --event-time-end 2026-05-01',
      ['run', '--event-time-start', '2026-04-01', '--event-time-end', '2026-05-01'],
    ],
    ['dbt docs generate --select ${{event.table}}', ['docs', 'generate', '--select', 'orders']],
    ['dbt ls --resource-type ${{event.kind}}', ['ls', '--resource-type', 'model']],
    [
      'dbt build --select ${{received.SOURCE}} --vars "{n: 1}"',
      ['build', '--select', 'erathos', '--vars', '{n: 1}'],
    ],
    ['dbt build --select a --target t_${{event.table}}', ['build', '--select', 'a', '--target', 't_orders']],
  ])('%s has the values of the event in the places it says', (template, argv) => {
    expect(commandTemplateProblem(template)).toBeNull();
    expect(argvOf(template, { ...event, kind: 'model' })).toEqual(argv);
  });

  test('has each value of several events once, with what stands around it, all in one word', () => {
    const events = ['orders', 'payments', 'orders'].map((table) => ({ table }));
    expect(argvOf('dbt build --select source:raw.${{events.table}}+ --threads 2', ...events)).toEqual([
      'build',
      '--select',
      'source:raw.orders+ source:raw.payments+',
      '--threads',
      '2',
    ]);
    expect(argvOf('dbt build --select=${{events.table}}', ...events)).toEqual([
      'build',
      '--select=orders payments',
    ]);
    expect(argvOf('dbt build --select ${{events.tables}}', { tables: ['a', 'b'] }, { tables: 'c' })).toEqual([
      'build',
      '--select',
      'a b c',
    ]);
    expect(argvOf('dbt build --select ${{event.table}}', ...events.slice(0, 2))).toEqual([
      'build',
      '--select',
      'payments',
    ]);
  });

  test('is refused where a value of several events is long, of which no more is kept than it takes to see that', () => {
    const data = { long: 'x'.repeat(200_000), deep: { long: ['y'.repeat(200_000)] } };
    const gathered = gather(null, { id: 'e', data, createdAt: at }, ['long', 'deep']);
    expect(JSON.stringify([...gathered.values.values()].map((each) => [...each])).length).toBeLessThan(
      20_000,
    );
    for (const path of ['long', 'deep']) {
      const refused = { refusal: expect.stringContaining(`events.${path} is longer than 2000 characters`) };
      expect(argvOf(`dbt build --vars '{"a": "\${{events.${path}}}"}'`, data)).toEqual(refused);
    }
  });

  test('has values at the leaves of --vars, as what they are, whatever is in them', () => {
    const template = `dbt build --vars '{"t": "\${{event.table}}", "n": "\${{event.rows}}", "deep": {"list": ["\${{event.on}}", "at \${{event.day}}"]}, "all": "\${{events.table}}"}'`;
    expect(commandTemplateProblem(template)).toBeNull();
    const argv = argvOf(template, { ...event, table: 'it\'s "a\\b"' }) as string[];
    expect(argv).toHaveLength(3);
    expect(JSON.parse(argv[2]!)).toEqual({
      t: 'it\'s "a\\b"',
      n: 5,
      deep: { list: [true, 'at 2026-04-01'] },
      all: 'it\'s "a\\b"',
    });
    expect(argvOf('dbt run-operation grant --args "{to: ${{event.table}}}"', event)).toEqual([
      'run-operation',
      'grant',
      '--args',
      '{"to":"orders"}',
    ]);
  });
});

describe('refused when it is saved is a placeholder', () => {
  test.each([
    '${{event.x}}',
    '${{event.x}} build',
    'dbt ${{event.x}}',
    'dbt ${{event.x}} --select a',
    'dbt docs ${{event.x}}',
    'dbt bui${{event.x}} --select a',
    'dbt${{event.x}} build',
    'dbt build ${{event.x}}',
    'dbt build --quiet ${{event.x}}',
    'dbt build --threads 2 ${{event.x}}',
    'dbt build ${{event.x}} --select a',
    'dbt build --${{event.x}}',
    'dbt build --${{event.x}} a',
    'dbt build -${{event.x}}',
    'dbt build --sel${{event.x}} a',
    'dbt build --${{event.x}}=a',
    'dbt build --select -${{event.x}}',
    'dbt build --select a --full-refresh=${{event.x}}',
    'dbt run-operation ${{event.x}}',
    'dbt run-operation --threads 1 ${{event.x}}',
    'dbt run-operation my_${{event.x}} --args "{a: 1}"',
    'dbt build --vars ${{event.x}}',
    'dbt build --vars "{${{event.x}}: 1}"',
    `dbt build --vars '{"a": {"\${{event.x}}": 1}}'`,
    `dbt build --vars '{"a": [{"k\${{event.x}}": 1}]}'`,
    `dbt build --warn-error-options '{"error": ["\${{event.x}}"]}'`,
    'dbt build --sample "{start: ${{event.x}}, end: 2024-01-01}"',
    // Written anew, these would be others.
    'dbt build --vars "{day: 2024-01-01, t: ${{event.x}}}"',
    'dbt build --vars "{at: {from: [2024-01-01T10:00:00Z]}, t: ${{event.x}}}"',
    `dbt build --vars '{"id": 12345678901234567890, "t": "\${{event.x}}"}'`,
    'dbt build --vars "{most: .inf, t: ${{event.x}}}"',
    'dbt build --threads ${{events.x}}',
    'dbt build --target ${{received.IDS}}',
    'dbt build --select a ${{events.x}}',
    'dbt build --select ${{events.x}}:${{events.y}}',
    'dbt build --profiles-dir ${{event.x}}',
    'dbt build --project-dir ${{event.x}}',
    'dbt build --select a; ${{event.x}}',
    'dbt build --select "${{event.x}}',
    'dbt retry --select ${{event.x}}',
    'sqlmesh plan ${{event.x}}',
  ])('in %s', (template) => {
    expect(commandTemplateProblem(template)).toEqual(expect.stringMatching(/\w.*\./));
  });
});

/** What somebody who only sends events would like to have in a command. */
const attacks: unknown[] = [
  '--full-refresh',
  '-f',
  '-',
  '--',
  '--vars={a: 1}',
  'a --full-refresh',
  'a -f',
  ' --full-refresh',
  '\t--full-refresh',
  '\n--full-refresh',
  'a\n-f',
  'a\r-f',
  'a\0-f',
  'a\u00a0--full-refresh',
  'a\u2003-f',
  'a\u2028-f',
  '\u2010-full-refresh',
  '\u2212f',
  '\uff0d\uff0dfull-refresh',
  "a' --full-refresh '",
  'a" --full-refresh "',
  "a'",
  'a"',
  "''",
  '""',
  'a\\',
  "a\\' --full-refresh",
  'a; rm -rf /',
  'a && dbt clean',
  'a | cat',
  'a > /etc/passwd',
  '$(id)',
  '`id`',
  '${HOME}',
  '$HOME',
  '${{event.other}}',
  '${{received.SOURCE}}',
  '{{ env_var("X") }}',
  '{% raw %}',
  '*',
  '+orders+',
  '@orders',
  'a,b',
  'a b',
  'a=b',
  '[a]',
  'a?',
  '#',
  '!tag',
  '!!python/object/apply:os.system',
  '&anchor',
  '*alias',
  '/etc/passwd',
  '../../etc',
  'a/../../b',
  '..',
  '.',
  './x',
  '~',
  '%TEMP%',
  'ab',
  'ａ',
  'a\u200b-f',
  'a\u202e-f',
  'a\ud800',
  'a'.repeat(201),
  '',
  ' ',
  'zv0q',
  -1,
  -0.5,
  1e300,
  null,
  {},
  { toString: 'x' },
  ['-f'],
  ['a', '-f'],
  [[]],
];
/** Plain names, however they look: they stay values. */
const harmless = new Set<unknown>(['ab', 'zv0q', 'a'.repeat(200), 'build', 'a:b', 'a/b']);

const places = [
  'dbt build --select ${{event.x}}',
  'dbt build --select ${{events.x}}',
  'dbt build --select=${{event.x}}',
  'dbt build --select a ${{event.x}}',
  "dbt build --select 'a ${{event.x}}'",
  'dbt build --exclude "${{event.x}}"',
  'dbt build --select tag:${{event.x}}+',
  'dbt build --target ${{event.x}}',
  'dbt build -t ${{event.x}} --quiet',
  'dbt run --defer --state ${{event.x}}',
  'dbt build --threads ${{event.x}}',
  'dbt build --selector ${{event.x}}',
];

describe.each(places)('%s', (template) => {
  test('is a template', () => expect(commandTemplateProblem(template)).toBeNull());

  test.each(attacks.map((attack) => [JSON.stringify(attack), attack]))(
    'gets no word, option or expression from %s',
    (_, attack) => {
      if (attack === 'zv0q' || attack === 'ab') return expectSafe(template, attack);
      const became = rendered(template, { x: attack });
      const isExpressionless =
        typeof attack === 'object' && Array.isArray(attack) && template.includes('events.');
      if ('argv' in became && !isExpressionless) throw new Error(`it became ${JSON.stringify(became.argv)}`);
      if ('argv' in became) expectSafe(template, attack);
      else expect(became.refusal).toMatch(/\.$/);
    },
  );

  test('has as many words as it says, and no other options, whatever an event brings', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.string({ unit: fc.constantFrom(...'ab-_./: "\'\\={}$;|&\n\t'), maxLength: 12 }),
      fc.constantFrom(...attacks, ...harmless),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(value, (x) => expectSafe(template, x)),
      { numRuns: 300 },
    );
  });
});

/** Refused, or the same command but for plain values. */
function expectSafe(template: string, x: unknown): void {
  const became = rendered(template, { x });
  if ('refusal' in became) return expect(became.refusal).not.toBe('');
  const model = parseCommand(template.replace(/\$\{\{.*?\}\}/, '1'), 'dbt');
  if (!model.accepted) throw new Error(`${template}: ${model.detail}`);
  expect(became.argv).toHaveLength(model.argv.length);
  expect(became.argv.filter((word) => word.startsWith('-')).map((word) => word.split('=')[0])).toEqual(
    model.argv.filter((word) => word.startsWith('-')).map((word) => word.split('=')[0]),
  );
  expect(parseCommand(became.command, 'dbt')).toMatchObject({ accepted: true, argv: became.argv });
}

describe('what stands in --vars', () => {
  const template = `dbt build --vars '{"a": "\${{event.x}}", "b": ["x \${{event.x}}"], "safe": true}'`;

  test.each(attacks.map((attack) => [JSON.stringify(attack), attack]))(
    'stays a value of its key: %s',
    (_, x) => {
      const became = rendered(template, { x });
      if ('refusal' in became) return expect(became.refusal).not.toBe('');
      expect(became.argv).toHaveLength(3);
      const vars = JSON.parse(became.argv[2]!);
      expect(Object.keys(vars)).toEqual(['a', 'b', 'safe']);
      expect(vars).toMatchObject({
        a: typeof x === 'string' ? x.toWellFormed().replaceAll('\0', '\ufffd') : x,
        safe: true,
      });
    },
  );

  test('is JSON with the same keys, whatever an event brings', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()), (x) => {
        const became = rendered(template, { x });
        if ('refusal' in became) return;
        expect(became.argv.slice(0, -1)).toEqual(['build', '--vars']);
        expect(Object.keys(JSON.parse(became.argv[2]!))).toEqual(['a', 'b', 'safe']);
      }),
      { numRuns: 500 },
    );
  });

  test.each(['__proto__', 'constructor', 'toString', 'x.length', 'x.constructor.name'])(
    'knows nothing that the event has not brought itself: %s',
    (path) => {
      expect(fieldAt({ x: 'abc' }, path)).toBeUndefined();
      expect(rendered(`dbt build --select \${{event.${path}}}`, { x: 'abc' })).toEqual({
        refusal: `There is no event.${path}, so its command cannot be made.`,
      });
    },
  );
});
