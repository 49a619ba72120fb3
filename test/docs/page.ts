import { blocksOf } from '../support/pages.ts';

/** A block of commands that a page shows, and what the page says comes of it. */
export interface ShownBlock {
  commands: string;
  /** The page says `# ends with 1`; 0 where it says nothing. */
  exitCode: number;
  /** Lines it prints among others, in this order; `...` stands for anything. */
  output: string[];
}

/** All of a page's `sh` blocks, each with the `text` block behind it. */
export function shownBlocks(page: string): ShownBlock[] {
  const blocks: ShownBlock[] = [];
  for (const { language, code } of blocksOf(page)) {
    if (language === 'sh') {
      const [, exitCode = '0'] = /# ends with (\d+)$/m.exec(code) ?? [];
      blocks.push({ commands: code, exitCode: Number(exitCode), output: [] });
    }
    if (language === 'text') blocks.at(-1)?.output.push(...code.trimEnd().split('\n'));
  }
  return blocks;
}

/** The first of the lines that is not printed, or not in its place; undefined: all are. */
export function missingLine(lines: readonly string[], printed: string): string | undefined {
  const left = printed.split('\n');
  return lines.find((line) => {
    const words = line.split('...').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
    const pattern = new RegExp(`^${words.join('.*')}$`);
    const at = left.findIndex((each) => pattern.test(each.trimEnd()));
    left.splice(0, at + 1);
    return at === -1;
  });
}
