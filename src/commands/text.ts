import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';

export const maxCommandLength = 8192;

/**
 * The first character that may stand nowhere in a command, quoted or not. No shell ever sees a command; the
 * rule holds all the same, so that a command stays harmless when someone pastes it into one, and so that it looks
 * in every log and console exactly as it is.
 *
 * Each character is judged as written and in its compatibility form (NFKC), in which a full-width semicolon is a
 * semicolon.
 */
export function findBlockedText(text: string): Refusal | undefined {
  if (text.length > maxCommandLength) {
    return refuse(maxCommandLength, `A command has at most ${maxCommandLength} characters; shorten it.`);
  }
  let position = 0;
  let previous = '';
  for (const character of text) {
    const isAscii = character <= '\u007f';
    const folded = isAscii ? character : character.normalize('NFKC');
    const alone = isAscii ? asciiProblem(character) : otherProblem(character, folded);
    if (alone !== undefined) return refuse(position, alone);
    const together = pairProblem(previous, folded);
    if (together !== undefined) return refuse(position - 1, together);
    position += character.length;
    previous = folded.slice(-1);
  }
  return undefined;
}

const blockedCharacters = new Map([
  [';', 'A semicolon is not allowed, quoted or not; a command is one call, so trigger one run for each.'],
  ['&', 'The character & is not allowed, quoted or not; a command is one call, so trigger one run each.'],
  ['|', 'The character | is not allowed, quoted or not; read the output of a run from its logs instead.'],
  ['`', 'A backtick is not allowed, quoted or not; no shell runs the command, so write the value itself.'],
  ['>', 'The character > is not allowed, quoted or not; read the output of a run from its logs instead.'],
  ['<', 'The character < is not allowed, quoted or not; write the value itself into the command.'],
]);
const lineBreak = 'A line break is not allowed; write the command on one line.';

function asciiProblem(character: string): string | undefined {
  if (character === '\n' || character === '\r') return lineBreak;
  if (character === '\t') return 'A tab is not allowed; write a space instead.';
  if (character < ' ' || character === '\u007f') return controlCharacter(character);
  return blockedCharacters.get(character);
}

const blockedForms = /[;&|`<>$]/;
const typographicQuote = /[\u00ab\u00b4\u00bb\u2018-\u201f\u2032\u2033\u2039\u203a\uff02\uff07]/;
const typographicDash = /[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/;
// The blank Braille cell and the Hangul fillers show nothing, although they count as a symbol and as letters.
const unseen = /[\p{C}\p{Z}\u2800\p{Default_Ignorable_Code_Point}]/u;
const suspicious = new RegExp(
  [unseen, typographicQuote, typographicDash].map(({ source }) => source).join('|'),
  'u',
);

/** Judges a character beyond ASCII. */
function otherProblem(character: string, folded: string): string | undefined {
  if (suspicious.test(character)) return suspiciousProblem(character);
  const form = folded === character ? undefined : blockedForms.exec(folded)?.[0];
  if (form === undefined) return undefined;
  return `${codePoint(character)} is a form of ${form} and is not allowed, quoted or not; remove it.`;
}

function suspiciousProblem(character: string): string {
  if (typographicQuote.test(character)) {
    return `${codePoint(character)} is a typographic quote, which quotes nothing; write ' or " instead.`;
  }
  if (typographicDash.test(character)) {
    return `${codePoint(character)} is a typographic dash, which starts no option; write - instead.`;
  }
  if (/[\u0085\p{Zl}\p{Zp}]/u.test(character)) return lineBreak;
  if (/\p{Zs}/u.test(character)) return `${codePoint(character)} is not a plain space; write one instead.`;
  if (/\p{Cc}/u.test(character)) return controlCharacter(character);
  return `${codePoint(character)} is an invisible or unassigned character; remove it.`;
}

function pairProblem(previous: string, folded: string): string | undefined {
  if (previous === '$' && /^[({\p{L}_]/u.test(folded)) {
    return 'A $ before a letter or a bracket is not allowed, quoted or not; nothing is expanded, so write the value itself.';
  }
  if (previous === '{' && /^[{%#]/.test(folded)) {
    return 'Jinja is not allowed in a command; write the value itself, or put the expression into the project.';
  }
  return undefined;
}

function controlCharacter(character: string): string {
  return `The control character ${codePoint(character)} is not allowed; remove it.`;
}

function codePoint(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
}
