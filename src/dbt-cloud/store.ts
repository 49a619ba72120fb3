import type { Database } from '../db.ts';

export function findAccount(db: Database, id: string) {
  return db.organization.findUniqueOrThrow({
    where: { id },
    select: { id: true, number: true, name: true, createdAt: true },
  });
}
