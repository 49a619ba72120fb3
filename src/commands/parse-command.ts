import { isDbtSubcommand, readDbtWords } from './dbt-command.ts';
import { projectTypes } from './project-type.ts';
import type { ProjectType } from './project-type.ts';
import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { isSqlmeshSubcommand, readSqlmeshWords } from './sqlmesh-command.ts';
import { findBlockedText } from './text.ts';
import { splitWords } from './words.ts';
import type { Word } from './words.ts';

export interface AcceptedCommand {
  accepted: true;
  /** The text without the spaces around it. */
  command: string;
  /** What stands after the program, word by word, byte for byte what the program gets. */
  argv: string[];
  subcommand: string;
}

export type CommandVerdict = AcceptedCommand | Refusal;

/**
 * Says whether a command may run in a project of this type, be it the command of a job or the one that overrides it,
 * and splits it into words. Everything is refused that is not known to be harmless: first by character, then by word,
 * then by option and value. Never throws, and takes well below 5 ms for any text.
 */
export function parseCommand(text: string, projectType: ProjectType): CommandVerdict {
  const blocked = findBlockedText(text);
  if (blocked) return blocked;
  const words = splitWords(text);
  if (!Array.isArray(words)) return words;

  const { example, read } = rules[projectType];
  const [program, ...rest] = words;
  if (!program) return refuse(0, `The command is empty; write for example ${example}.`);
  if (program.text !== projectType || program.isQuoted) {
    return refuse(program.start, programProblem(program, projectType));
  }
  const { end } = words.at(-1)!;
  const judged = read(rest, end);
  if ('detail' in judged) return judged;

  return {
    accepted: true,
    command: text.slice(program.start, end),
    argv: rest.map((word) => word.text),
    subcommand: judged.subcommand,
  };
}

interface Rule {
  /** The command a first job has. */
  example: string;
  isSubcommand(text: string): boolean;
  /** Judges the words after the program. `end`: where the command ends. */
  read(words: Word[], end: number): { subcommand: string } | Refusal;
}

const rules: Record<ProjectType, Rule> = {
  dbt: { example: 'dbt build', isSubcommand: isDbtSubcommand, read: readDbtWords },
  sqlmesh: {
    example: 'sqlmesh plan --auto-apply --no-prompts',
    isSubcommand: isSqlmeshSubcommand,
    read: readSqlmeshWords,
  },
};

/** The command of a project's first job. */
export function firstCommand(projectType: ProjectType): string {
  return rules[projectType].example;
}

function programProblem(program: Word, projectType: ProjectType): string {
  const { example, isSubcommand } = rules[projectType];
  if (/^\w+=/.test(program.text)) {
    return `A command sets no variables; set them on the environment, and begin with the word ${projectType}.`;
  }
  if (isSubcommand(program.text)) {
    return `A command begins with the word ${projectType}; write ${projectType} ${program.text}.`;
  }
  const other = projectTypes.find((each) => each !== projectType && each === program.text);
  if (other !== undefined) {
    return `This is a ${projectType} project, which runs no ${other} commands; write for example ${example}.`;
  }
  return `A command begins with the word ${projectType}, in small letters, without quotes or a path; write for example ${example}.`;
}
