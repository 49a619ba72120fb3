import { AppError } from '../errors.ts';
import { parseCommand } from './parse-command.ts';
import type { ProjectType } from './project-type.ts';

/**
 * The command as it is stored and the words its program gets, or the refusal every caller sees.
 * `pointer`: the JSON pointer of the field the text came from.
 */
export function acceptCommand(
  text: string,
  pointer: string,
  projectType: ProjectType,
): { command: string; argv: string[] } {
  const verdict = parseCommand(text, projectType);
  if (verdict.accepted) return { command: verdict.command, argv: verdict.argv };
  const { detail, position } = verdict;
  throw new AppError('invalid_command', detail, { problems: [{ pointer, detail, position }] });
}
