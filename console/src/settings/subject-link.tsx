import { Link } from 'react-router';
import type { AuditEvent } from '../../../client/operations.ts';

/** The id of what something was done to; a link where its page is known from that alone. */
export function SubjectLink({ subject, details }: Pick<AuditEvent, 'subject' | 'details'>) {
  const projectId = details?.['project_id'];
  const to =
    subject.kind === 'run'
      ? `/runs/${subject.id}`
      : subject.kind === 'project'
        ? `/projects/${subject.id}`
        : subject.kind === 'job' && typeof projectId === 'string'
          ? `/jobs/${projectId}/${subject.id}`
          : null;
  return to === null ? <code>{subject.id}</code> : <Link to={to}>{subject.id}</Link>;
}
