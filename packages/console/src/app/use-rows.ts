// A whole list, page after page, as one array of rows: tables filter and sort all of it.
import { pageSizeMax } from '@powernode/core/limits/requests';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { type ListAction, type ListNameOf, listNameOf } from '../api/actions.ts';
import type { Output, Parameters } from '../api/client.ts';
import { client } from './platform.ts';
import { pollInterval } from './query-client.ts';

type Page<K extends ListAction> = Output<K> & {
  readonly has_more: boolean;
  readonly next_cursor: string | null;
};
export type Row<K extends ListAction> = Output<K>[ListNameOf<K> &
  keyof Output<K>] extends readonly (infer R)[]
  ? R
  : never;

export interface Rows<R> {
  /** Undefined until the first page is here. */
  readonly data: readonly R[] | undefined;
  readonly rows: readonly R[];
  /** All pages are here. */
  readonly complete: boolean;
  /** Why there is nothing to show, or why what is shown is not renewed. */
  readonly error: Error | null;
  readonly retry: () => void;
}

export interface RowsOptions<R> {
  /** Something is under way, so that the list should be read again soon. Absent: events tell all there is to tell. */
  readonly busy?: (rows: readonly R[]) => boolean;
  readonly enabled?: boolean;
}

export function useRows<K extends ListAction>(
  key: K,
  filters: Omit<Parameters<K>, 'limit' | 'cursor'>,
  options: RowsOptions<Row<K>> = {},
): Rows<Row<K>> {
  const noun = listNameOf(key);
  const rowsIn = (pages: readonly unknown[]) =>
    pages.flatMap((page) => (page as Record<string, Row<K>[]>)[noun] ?? []);
  const { busy } = options;
  const query = useInfiniteQuery({
    queryKey: [noun, 'list', filters] as const,
    queryFn: async ({ pageParam, signal }) => {
      const cursor = pageParam === null ? {} : { cursor: pageParam };
      const parameters = { ...filters, limit: pageSizeMax, ...cursor } as unknown as Parameters<K>;
      return (await client.read(key, parameters, signal)) as Page<K>;
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => (last.has_more ? last.next_cursor : undefined),
    enabled: options.enabled ?? true,
    refetchInterval: (of) => {
      const pages = of.state.data?.pages;
      if (pages === undefined) return false;
      return pollInterval(of as never, busy === undefined ? null : busy(rowsIn(pages)));
    },
  });
  const { hasNextPage, isFetching, isError, fetchNextPage, data } = query;
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError) void fetchNextPage();
  }, [hasNextPage, isFetching, isError, fetchNextPage]);
  const pages = data?.pages;
  const rows = useMemo(() => {
    return (pages ?? []).flatMap((page) => (page as unknown as Record<string, Row<K>[]>)[noun] ?? []);
  }, [pages, noun]);
  return {
    data: pages === undefined ? undefined : rows,
    rows,
    complete: pages !== undefined && !hasNextPage,
    error: query.error,
    retry: () => void query.refetch(),
  };
}
