import type { Completer } from '../command.ts';
import { allEnvironments } from '../find/environment.ts';
import { allProjects, findProject, projectNamed } from '../find/project.ts';

/** What a server knows by name. */
export const projects: Completer = async (shell) =>
  (await allProjects(shell.client())).map(({ name }) => ({ value: name }));

export const jobs: Completer = async (shell, given) => {
  const named = (given['project'] as string | undefined) ?? projectNamed(shell, shell.folder);
  const all = await allProjects(shell.client());
  const within = all.filter(({ id, name }) => named === undefined || named === name || named === id);
  const isAlone = within.length === 1;
  return within.flatMap((project) =>
    project.jobs.map(({ name, command }) => ({
      value: isAlone ? name : `${project.name}/${name}`,
      about: command,
    })),
  );
};

export const environments: Completer = async (shell, given) => {
  const project = await findProject(shell, given['project'] as string | undefined);
  return (await allEnvironments(shell, project)).map(({ name }) => ({ value: name }));
};

export const runs: Completer = async (shell) => {
  const { data } = await shell.client().call('listRuns', { query: { limit: 20 } });
  const about = (name: string, status: string) => `${name} ${status}`;
  return [
    { value: 'latest', about: 'the newest' },
    ...data.map(({ id, name, status }) => ({ value: id, about: about(name, status) })),
  ];
};

export const hosts: Completer = async (shell) =>
  shell.hosts.all().map(({ url, organization }) => ({ value: url, about: organization }));

export const users: Completer = async (shell) => {
  const { data } = await shell.client().call('listUsers', { query: { limit: 200 } });
  return data.map(({ email, role }) => ({ value: email, about: role }));
};

export const tokens: Completer = async (shell) => {
  const { data } = await shell.client().call('listTokens', { query: { limit: 200 } });
  return data.map(({ name, scope }) => ({ value: name, about: scope }));
};
