import type { Transaction } from '../db.ts';
import { invalidField } from '../errors.ts';
import type { RunAfter } from './schema.ts';
import { findJobIds, findLinks, lockLinks, replaceLinks, type Link } from './store.ts';

/**
 * Makes these the jobs that a job runs after, in place of the ones before. Throws when one is not the organization's,
 * is the job itself, is named twice, or runs after this one: jobs that wait for each other would go round for ever.
 */
export async function saveRunAfter(
  tx: Transaction,
  { organizationId, jobId }: { organizationId: string; jobId: string },
  wanted: RunAfter[],
): Promise<void> {
  await lockLinks(tx, organizationId);
  const named = wanted.map((each) => each.job_id);
  const known = await findJobIds(tx, organizationId, named);
  const links = await findLinks(tx, organizationId);
  for (const [place, id] of named.entries()) {
    const problem = problemOf(id, {
      jobId,
      isKnown: known.has(id),
      isTwice: named.indexOf(id) < place,
      links,
    });
    if (problem !== null) throw invalidField(`/run_after/${place}/job_id`, problem);
  }
  await replaceLinks(
    tx,
    jobId,
    wanted.map(({ job_id: afterJobId, statuses }) => ({ afterJobId, statuses: [...new Set(statuses)] })),
  );
}

function problemOf(
  id: string,
  { jobId, isKnown, isTwice, links }: { jobId: string; isKnown: boolean; isTwice: boolean; links: Link[] },
): string | null {
  if (id === jobId) return 'A job does not run after itself. Give the id of another job.';
  if (!isKnown) return 'Give the id of a job of your organization (GET .../jobs lists those of a project).';
  if (isTwice) return 'The job is named twice. Name all its statuses in one entry.';
  if (runsAfter(id, jobId, links)) {
    return 'That job runs after this one, so the two would start each other for ever. Leave one of them out.';
  }
  return null;
}

/** Whether a job runs after another, be it by way of others. */
function runsAfter(jobId: string, other: string, links: Link[]): boolean {
  const reached = new Set([jobId]);
  for (const id of reached) {
    for (const link of links) if (link.jobId === id) reached.add(link.afterJobId);
  }
  return reached.has(other);
}
