import { readArguments, type ArgumentRule } from './arguments.ts';
import { refuse, shown } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { sqlmeshCommonOptions, sqlmeshOptions } from './sqlmesh-options.ts';
import type { SqlmeshSubcommand } from './sqlmesh-options.ts';
import { sqlmeshOptionRefusal, sqlmeshSubcommandRefusal } from './sqlmesh-refused.ts';
import { testFile } from './sqlmesh-values.ts';
import { name } from './values.ts';
import type { Word } from './words.ts';

/** Judges the words after `sqlmesh`. `end`: where the command ends, for what is missing there. */
export function readSqlmeshWords(words: Word[], end: number): { subcommand: string } | Refusal {
  const place = subcommandPlace(words);
  const common = readArguments(commonRule, words.slice(0, place));
  if ('detail' in common) return common;
  const word = words[place];
  if (!word) return refuse(end, 'The subcommand is missing; write for example sqlmesh run.');
  if (word.isQuoted)
    return refuse(word.start, 'The subcommand has no quotes; write for example sqlmesh run.');
  const { text: subcommand } = word;
  if (!isSqlmeshSubcommand(subcommand)) return refuse(word.start, sqlmeshSubcommandRefusal(subcommand));

  const given = readArguments(ruleOf(subcommand), words.slice(place + 1));
  if ('detail' in given) return given;
  if (subcommand === 'plan' && !given.options.has('--auto-apply')) {
    return refuse(
      end,
      'Without --auto-apply, sqlmesh plan waits for an answer that nobody gives; add --auto-apply.',
    );
  }
  return { subcommand };
}

export function isSqlmeshSubcommand(text: string): text is SqlmeshSubcommand {
  return Object.hasOwn(sqlmeshOptions, text);
}

/** The index of the first word that is neither an option nor the value of one. */
function subcommandPlace(words: Word[]): number {
  let index = 0;
  while (words[index]?.text.startsWith('-')) {
    const takesNext = sqlmeshCommonOptions.get(words[index]!.text)?.takes === 'one';
    index += takesNext && words[index + 1]?.text.startsWith('-') === false ? 2 : 1;
  }
  return index;
}

const commonRule: ArgumentRule = {
  options: sqlmeshCommonOptions,
  looseWordProblem: () => undefined,
  optionRefusal: (option) => sqlmeshOptionRefusal(undefined, option),
};

function ruleOf(subcommand: SqlmeshSubcommand): ArgumentRule {
  return {
    options: sqlmeshOptions[subcommand],
    looseWordProblem: (text, earlier) => looseWordProblem(subcommand, text, earlier),
    optionRefusal: (option) => sqlmeshOptionRefusal(subcommand, option),
  };
}

function looseWordProblem(subcommand: SqlmeshSubcommand, text: string, earlier: number): string | undefined {
  switch (subcommand) {
    case 'plan':
    case 'run': {
      if (earlier > 0)
        return `${shown(text)} follows the environment; write it after an option, or remove it.`;
      const problem = name(text);
      return problem && `An environment ${problem}.`;
    }
    case 'test': {
      const problem = testFile(text);
      return problem && `What to test ${problem}.`;
    }
    case 'audit':
      return `${shown(text)} belongs to no option; write --model before the model to audit.`;
  }
}
