// The events of the page: those that the stream brought, those that were listed, and a pause.
import { pageSizeMax } from '@powernode/core/limits/requests';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { Event } from '../../api/event.ts';
import { eventLog } from '../../app/event-log.ts';
import { client } from '../../app/platform.ts';
import { pollInterval } from '../../app/query-client.ts';
import { useStore } from '../../app/store.ts';
import { mergeEvents } from './merge.ts';

export interface EventFeed {
  readonly events: readonly Event[] | undefined;
  readonly error: Error | null;
  readonly retry: () => void;
  readonly paused: boolean;
  readonly togglePause: () => void;
  /** Events that came during the pause. */
  readonly held: number;
  readonly hasMore: boolean;
  readonly loadingMore: boolean;
  readonly loadMore: () => void;
}

export function useEventFeed(prefix: string): EventFeed {
  const live = useStore(eventLog.store);
  const [frozen, setFrozen] = useState<readonly Event[] | null>(null);
  const list = useInfiniteQuery({
    queryKey: ['events', 'list', { prefix }] as const,
    queryFn: ({ pageParam, signal }) =>
      client.read(
        'recentEvents',
        {
          limit: pageSizeMax,
          ...(prefix === '' ? {} : { kind_prefix: prefix }),
          ...(pageParam === null ? {} : { cursor: pageParam }),
        },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => (last.has_more ? last.next_cursor : undefined),
    // The stream brings what is new; what is old does not change.
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: (query) => pollInterval(query as never, null),
  });
  const { data } = list;
  const shownLive = frozen ?? live;
  const events = useMemo(
    () =>
      data === undefined
        ? undefined
        : mergeEvents(
            shownLive,
            data.pages.flatMap((page) => page.events),
            prefix,
          ),
    [data, shownLive, prefix],
  );
  return {
    events,
    error: list.error,
    retry: () => void list.refetch(),
    paused: frozen !== null,
    togglePause: () => setFrozen(frozen === null ? live : null),
    held: frozen === null ? 0 : newer(live, frozen),
    hasMore: list.hasNextPage,
    loadingMore: list.isFetchingNextPage,
    loadMore: () => void list.fetchNextPage(),
  };
}

function newer(live: readonly Event[], frozen: readonly Event[]): number {
  const first = frozen[0]?.id;
  const at = first === undefined ? live.length : live.findIndex((event) => event.id === first);
  return at < 0 ? live.length : at;
}
