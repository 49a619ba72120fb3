import { useInfiniteQuery, type UseInfiniteQueryResult } from '@tanstack/react-query';
import { Problem } from './problem.tsx';

type Page<Item> = { data: Item[]; next_cursor: string | null };

export interface List<Item> {
  items: Item[];
  query: Pick<
    UseInfiniteQueryResult,
    | 'isError'
    | 'error'
    | 'isSuccess'
    | 'isPending'
    | 'hasNextPage'
    | 'isFetchingNextPage'
    | 'fetchNextPage'
    | 'refetch'
  >;
}

/** A list that comes page by page. */
export function useList<Item>(
  key: readonly unknown[],
  page: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Item>>,
  options: { refetchInterval?: number; enabled?: boolean } = {},
): List<Item> {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => page(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor: next }) => next ?? undefined,
    ...options,
  });
  return { items: query.data?.pages.flatMap(({ data }) => data) ?? [], query };
}

/** Stands below a list: why it could not be had, what to say when it is empty, and its next page. */
export function ListEnd({ list, empty, more }: { list: List<unknown>; empty: string; more: string }) {
  const { items, query } = list;
  return (
    <>
      {query.isError && <Problem error={query.error} again={() => void query.refetch()} />}
      {query.isPending && <p className="quiet">Loading…</p>}
      {query.isSuccess && items.length === 0 && <p className="empty">{empty}</p>}
      {query.hasNextPage && (
        <button type="button" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {more}
        </button>
      )}
    </>
  );
}

/** For the `query` of an operation. */
export const cursorOf = (cursor: string | undefined) => (cursor === undefined ? {} : { cursor });
