import { lookOf, signOf } from './node-status.ts';

/** A node's status as a sign and dbt's word: never by colour alone. */
export function NodeStatus({ status }: { status: string }) {
  const look = lookOf(status);
  return (
    <span className={`status look-${look}`}>
      <span aria-hidden="true">{signOf[look]}</span> {status}
    </span>
  );
}
