import { runClient } from './environments.ts';

export interface Piece {
  /** What it left in its variable `result`. */
  result?: any; // eslint-disable-line -- tests read what comes
  /** The name of the exception that ended it, and its text. */
  error?: string;
}

/**
 * Runs pieces of Python one after the other in one process, each with what those before it have defined: to start a
 * client takes longest. What one of them raises doesn't keep the next from running.
 */
export async function runPieces<Name extends string>(
  pieces: Record<Name, string>,
  options: { env: Record<string, string>; certificates: string },
): Promise<Record<Name, Piece> & { log: string }> {
  const script = `${harness}\nrun(json.loads(${JSON.stringify(JSON.stringify(pieces))}))\n`;
  const { stdout, stderr } = await runClient('dbt-cloud-clients', ['python', '-'], {
    ...options,
    input: script,
  });
  const log = stdout + stderr;
  const told = [...stdout.matchAll(/^### (.*)$/gm)].map(([, line = '']) => JSON.parse(line));
  const missing = Object.keys(pieces).filter((name) => !told.some((piece) => piece.name === name));
  if (missing.length > 0) throw new Error(`the script ended before ${missing.join(', ')}:\n${log}`);
  return { ...Object.fromEntries(told.map(({ name, ...piece }) => [name, piece])), log };
}

const harness = `
import json, time, traceback

def run(pieces):
    shared = {"__name__": "__main__"}
    for name, text in pieces.items():
        shared.pop("result", None)
        begun = time.monotonic()
        try:
            exec(compile(text, name + ".py", "exec"), shared)
            told = {"result": shared.get("result")}
        except Exception as error:
            traceback.print_exc()
            told = {"error": f"{type(error).__name__}: {error}"}
        seconds = round(time.monotonic() - begun, 1)
        print("\\n### " + json.dumps({"name": name, "seconds": seconds, **told}, default=str), flush=True)
`;
