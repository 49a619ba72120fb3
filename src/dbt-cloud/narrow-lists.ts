import type { ListPage } from './lists.ts';

/** What is there, and not deleted. */
export const live = { deletedAt: null } as const;

/** What lists of things with a name can be narrowed to, and in which order they come. */
export interface NamedFilters {
  name?: string | undefined;
  nameContains?: string | undefined;
  projectNumbers?: number[] | undefined;
}

const columnOf = { id: 'number', name: 'name', created_at: 'createdAt', updated_at: 'updatedAt' } as const;

export function inOrder<Field extends keyof typeof columnOf>({
  limit,
  offset,
  field,
  isDescending,
}: ListPage<Field>) {
  const direction = isDescending ? ('desc' as const) : ('asc' as const);
  // Of those with the same time or name, always the same one comes first.
  const orderBy = [{ [columnOf[field]]: direction }, { number: direction }] as {
    number: typeof direction;
  }[];
  return { orderBy, skip: offset, take: limit };
}

export function named({ name, nameContains }: NamedFilters) {
  return {
    ...(name !== undefined && { name }),
    ...(nameContains !== undefined && {
      AND: { name: { contains: asWritten(nameContains), mode: 'insensitive' as const } },
    }),
  };
}

/** As it is, wherever it stands: Prisma hands it to LIKE. */
function asWritten(text: string): string {
  return text.replace(/[\\%_]/g, (mark) => `\\${mark}`);
}

export function numbered(numbers: number[] | undefined) {
  return numbers === undefined ? {} : { number: { in: numbers } };
}
