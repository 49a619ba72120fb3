import type { Output } from './executors/executor.ts';

/** What the shim writes behind the last byte of a run's log. */
export function endOfLog(runId: string): string {
  return `\0dctl: end of the log of ${runId}\n`;
}

/**
 * An output without that mark. It ends there, without waiting for the engine, which needs longer to end it than dbt
 * needs for a small project: once the mark was there, and `hasFinished` says that the shim's last word was heard on its
 * other way. Project code that writes the mark itself shortens its own log at the most.
 */
export async function* upToEndMark(output: Output, text: string, hasFinished: () => boolean): Output {
  const mark = Buffer.from(text);
  let isSeen = false;
  let held: Buffer = Buffer.alloc(0);
  for await (const { stream, content } of output) {
    if (stream === 'protocol') {
      yield { stream, content };
    } else {
      const all = held.length === 0 ? content : Buffer.concat([held, content]);
      const place = all.indexOf(mark);
      isSeen ||= place !== -1;
      const rest =
        place === -1 ? all : Buffer.concat([all.subarray(0, place), all.subarray(place + mark.length)]);
      const kept = rest.length - beginning(rest, mark);
      held = Buffer.from(rest.subarray(kept));
      yield { stream, content: rest.subarray(0, kept) };
    }
    // Asked when whoever reads has come to know of that piece.
    if (isSeen && hasFinished()) break;
  }
  if (held.length > 0) yield { stream: 'log', content: held };
}

/** How many of the last bytes may be the first ones of the mark: it has no second NUL. */
function beginning(content: Buffer, mark: Buffer): number {
  const from = content.lastIndexOf(0);
  const length = from === -1 ? 0 : content.length - from;
  return content.subarray(content.length - length).equals(mark.subarray(0, length)) ? length : 0;
}
