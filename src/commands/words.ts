import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';

export interface Word {
  /** What the program gets: quotes taken off, escapes resolved. */
  text: string;
  /** Where the word begins and ends in the command, quotes included. */
  start: number;
  end: number;
  isQuoted: boolean;
}

/**
 * Splits a command the way a POSIX shell would, for the small part of its language that needs no expansion: spaces,
 * '...', and "..." with \" and \\. Whatever a shell would read differently is refused, so the words never surprise.
 */
export function splitWords(text: string): Word[] | Refusal {
  const words: Word[] = [];
  let word: Word | undefined;
  let position = 0;
  while (position < text.length) {
    const character = text[position]!;
    if (character === ' ') {
      word = undefined;
      position += 1;
      continue;
    }
    if (!word) {
      word = { text: '', start: position, end: position, isQuoted: false };
      words.push(word);
    }
    const part = readPart(text, position, word);
    if ('detail' in part) return part;
    word.text += part.text;
    word.isQuoted ||= part.isQuoted;
    position = part.end;
    word.end = position;
  }
  return words;
}

interface Part {
  text: string;
  end: number;
  isQuoted: boolean;
}

/** One quoted stretch, or one plain character. */
function readPart(text: string, position: number, word: Word): Part | Refusal {
  const character = text[position]!;
  if (character === "'" || character === '"') {
    // A shell reads $'...' and $"..." as quotes of their own kind.
    if (position > word.start && text[position - 1] === '$') {
      return refuse(position - 1, 'A $ before a quote is not allowed; put the $ inside the quotes.');
    }
    return character === "'" ? readSingleQuoted(text, position) : readDoubleQuoted(text, position);
  }
  const detail = plainProblem(character, position === word.start);
  if (detail !== undefined) return refuse(position, detail);
  return { text: character, end: position + 1, isQuoted: false };
}

function readSingleQuoted(text: string, start: number): Part | Refusal {
  const close = text.indexOf("'", start + 1);
  if (close === -1) {
    return refuse(start, "This ' is never closed; add the closing one, or use double quotes.");
  }
  return { text: text.slice(start + 1, close), end: close + 1, isQuoted: true };
}

const doubleQuotedBackslash =
  'A backslash between double quotes stands before a double quote or another backslash; use single quotes.';

function readDoubleQuoted(text: string, start: number): Part | Refusal {
  let value = '';
  for (let position = start + 1; position < text.length; position++) {
    const character = text[position]!;
    if (character === '"') return { text: value, end: position + 1, isQuoted: true };
    if (character !== '\\') {
      value += character;
      continue;
    }
    const escaped = text[position + 1];
    if (escaped !== '"' && escaped !== '\\') {
      return refuse(position, doubleQuotedBackslash);
    }
    value += escaped;
    position += 1;
  }
  return refuse(start, 'This " is never closed; add the closing one.');
}

function plainProblem(character: string, isFirst: boolean): string | undefined {
  switch (character) {
    case '\\':
      return 'A backslash outside quotes is not allowed; put the value between single quotes.';
    case '{':
    case '}':
      return "Braces outside quotes are not allowed; put the value between single quotes, as in --vars '{a: 1}'.";
    case '#':
      return isFirst ? 'A command has no comments; remove everything from the # on.' : undefined;
    default:
      return undefined;
  }
}
