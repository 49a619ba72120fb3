import { writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { sections } from '../src/config.ts';
import { textProblems } from './text-problems.ts';

const document = 'docs/configuration.md';

/** What is wrong with the document as it stands; empty when nothing is. */
export async function configurationProblems(): Promise<string[]> {
  return textProblems(document, await configurationText(), 'src/config.ts says');
}

/** Writes docs/configuration.md from the settings in src/config.ts. */
export async function writeConfiguration(): Promise<void> {
  writeFileSync(document, await configurationText());
}

async function configurationText(): Promise<string> {
  const tables = Object.entries(sections).map(([heading, settings]) => {
    const rows = Object.entries(settings).map(([name, schema]) => rowOf(name, schema));
    return [`## ${heading}`, '', '| setting | default | |', '| --- | --- | --- |', ...rows].join('\n');
  });
  const text = [before, ...tables, after].join('\n\n');
  return format(text, { ...(await resolveConfig(document)), filepath: document });
}

interface Setting {
  safeParse(value: unknown): { success: boolean; data?: unknown };
  meta(): { description?: string; otherwise?: unknown } | undefined;
}

function rowOf(name: string, schema: Setting): string {
  const { description, otherwise } = schema.meta() ?? {};
  if (description === undefined) throw new Error(`${name} has no description in src/config.ts.`);
  const shown = typeof otherwise === 'string' ? otherwise : defaultOf(name, schema);
  return `| \`${name}\` | ${shown} | ${description} |`;
}

function defaultOf(name: string, schema: Setting): string {
  const { success, data } = schema.safeParse(undefined);
  if (!success) return 'required';
  if (data === undefined) return 'none';
  if (typeof data === 'number') return name.endsWith('_BYTES') ? sizeOf(data) : String(data);
  return `\`${typeof data === 'string' ? data : JSON.stringify(data)}\``;
}

function sizeOf(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  let [size, unit] = [bytes, 0];
  for (; size % 1024 === 0 && unit < units.length - 1; unit += 1) size /= 1024;
  return `${size} ${units[unit]}`;
}

const before = `
# Settings

<!-- Made from src/config.ts by \`npm run docs\`. -->

Both processes read these from their environment when they start, and refuse to start with one message that names
everything that is wrong. A variable that begins with \`DCTL_\` and is none of them is warned about. \`npm start\` sets
what is required for you.

Any of them but \`DOCKER_HOST\` may stand in a file instead, such as a Docker secret: \`DCTL_SECRET_KEY_FILE=/run/secrets/dctl-key\` names
the file that holds \`DCTL_SECRET_KEY\`.
`.trim();

const after = `
## Node's own

| setting | default | |
| --- | --- | --- |
| \`UV_THREADPOOL_SIZE\` | 4 | half of these threads look up the names of webhook hosts; \`npm start\` sets 256 |

A worker that you start yourself needs \`UV_THREADPOOL_SIZE=256\` in its environment: with four threads, two webhook hosts
whose name servers are silent delay the webhooks of all others.
`.trim();
