import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { clientProblems } from './write-client.ts';
import { configurationProblems } from './write-configuration.ts';

// `npm run check`: form, rules, types and documentation, side by side. Prints only what is wrong.
const checks = [
  run('format', 'prettier', ['--check', '--log-level', 'warn', '.']),
  run('rules', 'oxlint', ['-c', 'oxlint.config.ts', '--type-aware', '--deny-warnings', '--quiet']),
  run('types', 'tsc', ['--noEmit', '-p', 'tsconfig.json']),
  run('types of the console', 'tsc', ['--noEmit', '-p', 'console/tsconfig.json']),
  documentation(),
];
const failed = (await Promise.all(checks)).filter(({ problems }) => problems !== '');
for (const { name, problems } of failed) console.error(`\n${name}:\n${problems}`);
console.log(
  failed.length === 0 ? 'check: all well' : `check: ${failed.map(({ name }) => name).join(', ')} failed`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

async function run(name: string, tool: string, args: string[]): Promise<{ name: string; problems: string }> {
  const child = spawn(join('node_modules', '.bin', tool), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, complaints, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { name, problems: exitCode === 0 ? '' : (output + complaints).trim() || `exit code ${exitCode}` };
}

async function documentation(): Promise<{ name: string; problems: string }> {
  return {
    name: 'documentation',
    problems: [...brokenLinks(), ...(await configurationProblems()), ...(await clientProblems())].join('\n'),
  };
}

/** Links between the project's own documents that lead nowhere. */
function brokenLinks(): string[] {
  const documents = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md']);
  const known = new Set(globSync('**/*', { exclude: ['node_modules', '.dctl', 'dist', '.git'] }));
  return documents.flatMap((document) =>
    [...readFileSync(document, 'utf8').matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !known.has(join(dirname(document), target).replace(/\/$/, '')))
      .map((target) => `${document}: the link to ${target} leads nowhere`),
  );
}
