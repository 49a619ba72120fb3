import { globSync } from 'node:fs';
import { matchesGlob } from 'node:path';
import { defineConfig } from 'oxlint';

/** The floors of the house, lowest first. A file imports from its own floor and those below, never from above. */
const floors: string[][] = [
  [
    'src/addresses.ts',
    'src/batches.ts',
    'src/conditions.ts',
    'src/config.ts',
    'src/cron.ts',
    'src/errors.ts',
    'src/installation.ts',
    'src/log.ts',
    'src/port.ts',
    'src/scopes.ts',
    'src/templates.ts',
    'src/text.ts',
  ],
  [
    'src/changes.ts',
    'src/db.ts',
    'src/metrics.ts',
    'src/migrate.ts',
    'src/paging.ts',
    'src/queue*.ts',
    'src/secrets.ts',
    'src/storage/**',
  ],
  ['src/context.ts', 'src/open-context.ts', 'src/turns.ts'],
  ['src/http/**'],
  ['src/audit/**'],
  ['src/invitations/**', 'src/organizations/**', 'src/sessions/**', 'src/tokens/**', 'src/users/**'],
  ['src/commands/**', 'src/environments/**', 'src/webhooks/**'],
  ['src/jobs/**'],
  ['src/hooks/**', 'src/preparations/**'],
  ['src/projects/**'],
  ['src/runs/**'],
  ['src/dbt-cloud/**', 'src/developers/**', 'src/events/**'],
  ['src/app.ts', 'src/readiness.ts', 'src/scrape.ts', 'src/server-*.ts', 'worker/**'],
  ['src/main.ts', 'src/bootstrap.ts', 'src/operate.ts', 'src/reseal.ts'],
];

interface Rule {
  /** The files it is about. */
  files: string[];
  except?: string[];
  /** What these import never: gitignore-style patterns over the import's text. */
  never: string[];
  why: string;
}

const everywhere = ['src/**', 'worker/**'];
const callers = ['client/**', 'console/src/**'];

const rules: Rule[] = [
  ...floors.map((files, level) => ({
    files,
    never: floors
      .slice(level + 1)
      .flat()
      .map(asImport),
    why: 'imports run one way: this is a floor above (docs/architecture.md)',
  })),
  {
    files: everywhere,
    except: ['src/queue*.ts'],
    never: ['bullmq', 'ioredis'],
    why: 'messages go through src/queue.ts',
  },
  {
    files: everywhere,
    except: ['worker/executors/docker*.ts'],
    never: ['dockerode'],
    why: 'containers go through an executor',
  },
  {
    files: everywhere,
    except: ['src/app.ts', 'src/http/**', 'src/runs/send-*.ts'],
    never: ['express'],
    why: 'operations know no HTTP',
  },
  {
    files: everywhere,
    except: ['src/db.ts'],
    never: ['**/generated/**', '@prisma/**'],
    why: 'Prisma comes through src/db.ts',
  },
  {
    files: [
      'src/*/schema.ts',
      'src/runs/status.ts',
      'src/webhooks/{attempt,headers,payload,sign}.ts',
      'src/commands/**',
    ],
    never: [
      'node:fs',
      'node:fs/**',
      'node:http',
      'node:net',
      'pg',
      '**/db.ts',
      '**/context.ts',
      '**/store.ts',
    ],
    why: 'this file is pure: nothing with I/O',
  },
  {
    files: ['src/*/routes.ts'],
    never: ['**/store.ts', '**/db.ts', '**/queue.ts'],
    why: 'a route parses, calls, answers',
  },
  {
    files: ['src/*/store.ts'],
    never: ['../*/store.ts', '**/queue.ts'],
    why: 'a store asks the database about its own',
  },
  {
    files: ['worker/**'],
    never: ['**/src/http/**', '**/routes.ts', '**/src/app.ts'],
    why: 'the worker serves no HTTP',
  },
  {
    files: callers,
    never: ['**/src/*', '**/src/*/**', '**/worker/**', 'node:*'],
    why: 'the console and its client know the server by its API alone',
  },
  {
    files: ['cli/**'],
    never: ['**/src/*', '**/src/*/**', '**/worker/**', '**/scripts/**'],
    why: 'the command line knows the server by its API alone, through client/',
  },
  {
    files: ['worker/executors/**'],
    never: ['**/db.ts', '**/queue.ts', '**/context.ts'],
    why: 'an executor knows containers, not runs',
  },
];

export default defineConfig({
  plugins: ['typescript', 'import', 'unicorn', 'oxc', 'promise', 'node', 'jest'],
  categories: { correctness: 'error', suspicious: 'error' },
  ignorePatterns: ['src/generated/**', 'client/operations.ts', 'dist/**', '.dctl/**'],
  rules: {
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': ['error', { checksVoidReturn: false }],
    'import/no-cycle': 'error',
    'node/no-process-env': 'error',
    // Narrowing what another library left open is said with `as`, next to the reason.
    'typescript/no-unsafe-type-assertion': 'off',
    // Exhaustive switches and `never` are TypeScript's to check; callbacks and loops are written on purpose.
    'typescript/consistent-return': 'off',
    'typescript/unbound-method': 'off',
    'typescript/no-misused-spread': 'off',
    'import/no-unassigned-import': 'off',
    'import/no-named-as-default-member': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'no-await-in-loop': 'off',
    'no-underscore-dangle': 'off',
    'promise/always-return': 'off',
    'promise/no-callback-in-promise': 'off',
    'promise/no-promise-in-callback': 'off',
    'jest/expect-expect': ['error', { assertFunctionNames: ['expect*', 'fc.assert', 'ended', 'until'] }],
  },
  overrides: [
    ...[...everywhere, ...callers, 'cli/**']
      .flatMap((pattern) => globSync(`${pattern}/*.{ts,tsx}`))
      .map((file) => ({
        files: [file],
        rules: { 'no-restricted-imports': ['error', { patterns: restrictionsOn(file) }] as const },
      })),
    // The settings are read by whoever starts a process, and handed on.
    {
      files: ['scripts/**', 'test/**', 'bench/**', 'prisma.config.ts'],
      rules: { 'node/no-process-env': 'off' },
    },
    {
      files: ['test/**'],
      rules: {
        'typescript/no-explicit-any': 'off',
        'typescript/restrict-template-expressions': 'off',
        'jest/require-to-throw-message': 'off',
        'jest/no-conditional-expect': 'off',
        'jest/no-standalone-expect': 'off',
        'no-shadow': 'off',
        'typescript/require-array-sort-compare': 'off',
        'unicorn/no-array-sort': 'off',
      },
    },
    // Runs on older Node versions too.
    { files: ['scripts/launch.mjs'], rules: { 'unicorn/no-array-sort': 'off' } },
    {
      files: ['src/main.ts', 'src/bootstrap.ts', 'src/operate.ts', 'worker/main.ts', 'cli/main.ts'],
      rules: { 'node/no-process-env': 'off' },
    },
  ],
});

function restrictionsOn(file: string) {
  const matches = (patterns: string[] = []) => patterns.some((pattern) => matchesGlob(file, pattern));
  return rules
    .filter((rule) => rule.never.length > 0 && matches(rule.files) && !matches(rule.except))
    .map(({ never, why }) => ({ group: never, message: why }));
}

/** `src/jobs/**` as the text of an import looks: `../jobs/...`. */
function asImport(path: string): string {
  return `**/${path.replace(/^src\//, '')}`;
}
