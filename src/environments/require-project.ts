import { projectTypeOf, type ProjectType } from '../commands/project-type.ts';
import type { Database, Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { findProjectType } from './store.ts';

/** The type of a project. Throws `not_found` for one that is not there, deleted, or another organization's. */
export async function requireProjectType(
  db: Database | Transaction,
  organizationId: string,
  projectId: string,
): Promise<ProjectType> {
  const type = await findProjectType(db, organizationId, projectId);
  if (type === null) throw noSuchProject();
  return projectTypeOf(type);
}

export function noSuchProject(): AppError {
  return new AppError('not_found', 'There is no such project.');
}
