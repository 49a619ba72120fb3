import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { command } from '../command.ts';
import { UsageError } from '../failure.ts';
import { allProjects } from '../find/project.ts';
import { plain } from '../output/plain.ts';
import { projectOfFolder, projectFileName, writeProjectFile } from '../settings/project-file.ts';

const sqlmeshFiles = ['config.yaml', 'config.yml', 'config.py', 'sqlmesh.yaml', 'sqlmesh.yml'];

export const init = command({
  name: 'init',
  summary: 'Create a project on the server for a folder; its name is kept in dctl.json',
  details: 'If the server has a project with that name, the folder is linked to it.',
  examples: ['dctl init', 'dctl init transformations --name shop'],
  arguments: { folder: { about: "the project's folder; this one when left out", isOptional: true } },
  options: { name: { about: 'name of the project; as in dbt_project.yml when left out', value: 'NAME' } },
  async run(shell, given) {
    const { out } = shell;
    const folder = resolve(shell.folder, given.folder ?? '.');
    const { type, ownName } = await projectIn(folder);
    const noted = existsSync(join(folder, projectFileName)) ? projectOfFolder(folder) : undefined;
    const name = given.name ?? noted ?? ownName;
    if (noted !== undefined && noted !== name)
      throw new UsageError(`${projectFileName} says that this folder is ${noted}: delete it to start over.`);

    const client = shell.client();
    const known = (await allProjects(client)).find((each) => each.name === name || each.id === name);
    if (known !== undefined && known.type !== type)
      throw new UsageError(
        `The server's project ${name} is of type ${known.type}, and this folder of ${type}.`,
      );
    const project = known ?? (await client.call('createProject', { body: { name, type } }));
    const file = writeProjectFile(folder, project.name);
    out.answer({ project, file, is_new: known === undefined }, () => {
      const done = known === undefined ? 'is made' : 'was there already';
      out.say(`${out.paint('green', '✓')} Project ${plain(project.name)} ${done}; noted in ${file}`);
      out.say(
        `  ${out.paint('dim', 'next:')} dctl deploy${given.folder === undefined ? '' : ` ${given.folder}`}`,
      );
    });
  },
});

/** What kind of project is in a folder, and what it calls itself. */
async function projectIn(folder: string): Promise<{ type: 'dbt' | 'sqlmesh'; ownName: string }> {
  const dbtFile = join(folder, 'dbt_project.yml');
  if (existsSync(dbtFile)) {
    const { name } = ((await readYaml(dbtFile)) ?? {}) as { name?: unknown };
    return { type: 'dbt', ownName: typeof name === 'string' && name !== '' ? name : basename(folder) };
  }
  if (sqlmeshFiles.some((file) => existsSync(join(folder, file))))
    return { type: 'sqlmesh', ownName: basename(folder) };
  throw new UsageError(
    `${folder} has no dbt_project.yml: go to the folder of a project, or name it: dctl init FOLDER.`,
  );
}

async function readYaml(file: string): Promise<unknown> {
  // As large as all the rest together: no other command is to wait for it.
  const { parse } = await import('yaml');
  try {
    return parse(readFileSync(file, 'utf8')) as unknown;
  } catch (error) {
    throw new UsageError(`${file} is not YAML: ${(error as Error).message.split('\n')[0]}`, { cause: error });
  }
}
