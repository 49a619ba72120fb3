import { styleText } from 'node:util';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export interface Steps {
  /** Does one step, shows that it goes on, then what came of it and how long it took. Steps may run side by side. */
  run<T>(
    name: string,
    work: (log: (line: string) => void) => Promise<T>,
    summarize?: (result: T) => string,
  ): Promise<T>;
  say(line?: string): void;
  /** One line at the bottom of a terminal, drawn over and over; nothing where there is no terminal. */
  redraw(line: string): void;
  readonly isTerminal: boolean;
}

export type Style = Parameters<typeof styleText>[0];

/** Colour for a terminal, plain text for anything else (and under NO_COLOR). */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

export function openSteps(): Steps {
  const isTerminal = process.stdout.isTTY;
  const active = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  let frame = 0;

  function draw(): void {
    const current = [...active].map(([name, detail]) => (detail ? `${name}: ${detail}` : name)).join(' · ');
    redraw(`  ${frames[frame++ % frames.length]} ${current}`);
  }

  function redraw(line: string): void {
    if (!isTerminal) return;
    const [columns] = process.stdout.getWindowSize();
    process.stdout.write(`\r\x1b[K${cut(line, (columns || 80) - 1)}`);
  }

  function say(line = ''): void {
    process.stdout.write(isTerminal ? `\r\x1b[K${line}\n` : `${line}\n`);
  }

  async function run<T>(
    name: string,
    work: (log: (line: string) => void) => Promise<T>,
    summarize: (result: T) => string = () => '',
  ): Promise<T> {
    const startedAt = performance.now();
    active.set(name, '');
    if (isTerminal) timer ??= setInterval(draw, 80).unref();
    try {
      const result = await work((line) => {
        if (!isTerminal && active.get(name) !== line) say(`    ${name}: ${line}`);
        active.set(name, line);
      });
      const summary = summarize(result);
      const duration = paint('dim', formatSeconds(performance.now() - startedAt));
      say(`  ${paint('green', '✓')} ${name}${summary ? ` ${summary}` : ''} ${duration}`);
      return result;
    } catch (error) {
      say(`  ${paint('red', '✗')} ${name}`);
      throw error;
    } finally {
      active.delete(name);
      if (active.size === 0) {
        clearInterval(timer);
        timer = undefined;
        redraw('');
      }
    }
  }

  return { run, say, redraw, isTerminal };
}

export function formatSeconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}

function cut(line: string, columns: number): string {
  return line.length > columns ? `${line.slice(0, Math.max(columns - 1, 0))}…` : line;
}
