import type { EventVerdict } from '../../../client/operations.ts';

export const verdicts: Record<EventVerdict['verdict'], { said: string; looks: string }> = {
  run: { said: 'triggered', looks: 'good' },
  gathering: { said: 'gathering', looks: 'busy' },
  refused: { said: 'refused', looks: 'bad' },
  no_match: { said: 'no match', looks: '' },
};

/** What a rule made of an event. */
export function VerdictBadge({ verdict }: { verdict: EventVerdict['verdict'] }) {
  const { said, looks } = verdicts[verdict];
  return <span className={`badge ${looks}`}>{said}</span>;
}
