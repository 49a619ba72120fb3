import { DctlError } from '../../../client/client.ts';

/** What went wrong, in the server's own words. */
export function Problem({ error, again }: { error: unknown; again?: () => void }) {
  const message = error instanceof Error ? error.message : String(error);
  const others =
    error instanceof DctlError
      ? error.problems.filter(({ pointer, detail }) => ![detail, `${pointer}: ${detail}`].includes(message))
      : [];
  return (
    <div className="problem" role="alert">
      <p>{message}</p>
      {others.length > 0 && (
        <ul>
          {others.map(({ pointer, detail }) => (
            <li key={pointer + detail}>
              <code>{pointer}</code> {detail}
            </li>
          ))}
        </ul>
      )}
      {again !== undefined && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}
