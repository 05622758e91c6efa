// The changes that reached a machine or a network, newest first, a page at a time: there may be very many.
import { pageSizeDefault } from '@powernode/core/limits/requests';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Output } from '../../api/client.ts';
import { client } from '../../app/platform.ts';
import { pollInterval } from '../../app/query-client.ts';

export type Change = Output<'listChanges'>['changes'][number];

export interface ChangesFilter {
  readonly instance_id?: string;
  readonly network_id?: string;
}

export function useChanges(filter: ChangesFilter) {
  const list = useInfiniteQuery({
    queryKey: ['changes', 'list', filter] as const,
    queryFn: ({ pageParam, signal }) =>
      client.read(
        'listChanges',
        { ...filter, limit: pageSizeDefault, ...(pageParam === null ? {} : { cursor: pageParam }) },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => (last.has_more ? last.next_cursor : undefined),
    refetchInterval: (query) => pollInterval(query as never, null),
  });
  const { data } = list;
  const changes = useMemo(() => data?.pages.flatMap((page) => page.changes), [data]);
  return { ...list, changes };
}
