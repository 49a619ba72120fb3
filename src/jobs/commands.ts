import { acceptCommand } from '../commands/accept-command.ts';
import type { ProjectType } from '../commands/project-type.ts';
import { invalidField } from '../errors.ts';

/** The commands that a request sets, each accepted; undefined when it sets none. */
export function commandsOf(
  wanted: { command?: string | undefined; commands?: string[] | undefined },
  projectType: ProjectType,
): string[] | undefined {
  const { command, commands } = wanted;
  if (command !== undefined && commands !== undefined) {
    throw invalidField('/commands', 'Give either command or commands.');
  }
  if (command !== undefined) return [acceptCommand(command, '/command', projectType).command];
  return commands?.map((each, place) => acceptCommand(each, `/commands/${place}`, projectType).command);
}

/** A job's commands in one line, for people and for the webhook's one `command` field. */
export function displayCommand(commands: readonly string[]): string {
  return commands.join(' && ');
}
