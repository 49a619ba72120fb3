import { useQuery } from '@tanstack/react-query';
import type { Answer } from '../../../client/client.ts';
import { api } from '../api.ts';
import { useRested } from '../parts/rested.ts';

export type Verdict = Answer<'checkCommand'>;

/** What the server says of a command, while it is typed. Undefined: nothing yet, or there is no command. */
export function useCommandVerdict(text: string, projectType: string): Verdict | undefined {
  const rested = useRested(text);
  const { data } = useQuery({
    queryKey: ['command', projectType, rested],
    queryFn: ({ signal }) =>
      api().call(
        'checkCommand',
        { body: { command: rested, type: projectType as 'dbt' | 'sqlmesh' } },
        { signal },
      ),
    enabled: rested.trim() !== '',
    staleTime: Infinity,
  });
  return rested === text ? data : undefined;
}

/** Below a command: that it is fine, or the server's sentence and the place it is about. */
export function CommandVerdict({ text, verdict }: { text: string; verdict: Verdict | undefined }) {
  return (
    <div role="status" className="verdict">
      {verdict?.accepted === true && <span className="good">✓ valid</span>}
      {verdict?.accepted === false && (
        <>
          <Place text={text} position={verdict.position} />
          <span className="field-problem">{verdict.detail}</span>
        </>
      )}
    </div>
  );
}

function Place({ text, position }: { text: string; position: number }) {
  const word = /^\S+/.exec(text.slice(position))?.[0] ?? '\u00a0';
  return (
    <code className="wrap">
      {text.slice(0, position)}
      <mark>{word}</mark>
      {text.slice(position + word.length)}
    </code>
  );
}
