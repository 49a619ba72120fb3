export interface Piece {
  text: string;
  /** Names of classes; empty for plain text. */
  looks: string;
}

// Colours and looks, and all else that moves a terminal's cursor or names its window.
// eslint-disable-next-line no-control-regex
const sequences = /\u001b(?:\[([\d;]*)m|\[[\d;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|.)/g;
const colours = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const marks = new Map([
  [1, 'ansi-bold'],
  [2, 'ansi-dim'],
  [3, 'ansi-italic'],
  [4, 'ansi-underline'],
]);

/** The text as a terminal would show it, without what only a terminal can do. */
export function plainText(text: string): string {
  return text.includes('\u001b') ? text.replace(sequences, '') : text;
}

/** The line in pieces of one look each. */
export function piecesOf(text: string): Piece[] {
  if (!text.includes('\u001b')) return [{ text, looks: '' }];
  const pieces: Piece[] = [];
  let on = new Set<string>();
  let from = 0;
  const take = (to: number) => {
    if (to > from) pieces.push({ text: text.slice(from, to), looks: [...on].join(' ') });
  };
  for (const found of text.matchAll(sequences)) {
    take(found.index);
    from = found.index + found[0].length;
    if (found[1] !== undefined) on = after(on, found[1]);
  }
  take(text.length);
  return pieces;
}

function after(on: Set<string>, codes: string): Set<string> {
  const looks = new Set(on);
  const numbers = codes.split(';').map(Number);
  for (let index = 0; index < numbers.length; index += 1) {
    const code = numbers[index]!;
    const mark = marks.get(code);
    if (code === 0) looks.clear();
    else if (mark !== undefined) looks.add(mark);
    else if (code === 22) ['ansi-bold', 'ansi-dim'].forEach((each) => looks.delete(each));
    // Colours of larger palettes, with what follows them: left out.
    else if (code === 38 || code === 48) index += numbers[index + 1] === 5 ? 2 : 4;
    else if (isColour(code) || code === 39) {
      for (const name of colours) looks.delete(`ansi-${name}`);
      if (code !== 39) looks.add(`ansi-${colours[code % 10]}`);
    }
  }
  return looks;
}

const isColour = (code: number) => (code >= 30 && code <= 37) || (code >= 90 && code <= 97);
