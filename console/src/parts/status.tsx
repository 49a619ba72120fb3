import type { Run } from '../../../client/operations.ts';

const signs: Record<Run['status'], string> = {
  queued: '○',
  running: '◐',
  success: '✓',
  partial: '◑',
  failed: '✕',
  error: '!',
};

/** A run's status as a sign and a word: never by colour alone. */
export function Status({ status, reason }: { status: Run['status']; reason?: string | null }) {
  if (status === 'error' && reason === 'cancelled')
    return (
      <span className="status status-cancelled">
        <span aria-hidden="true">⊘</span> cancelled
      </span>
    );
  return (
    <span className={`status status-${status}`}>
      <span aria-hidden="true">{signs[status]}</span> {status}
    </span>
  );
}
