// Why a machine is at its revision: the changes that reached it, or those of a network, or all of the account.
import { platformActions } from '@powernode/core/actions/platform-actions';
import { pageSizeDefault } from '@powernode/core/limits/requests';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Output } from '../../api/client.ts';
import { client } from '../../app/platform.ts';
import { pollInterval } from '../../app/query-client.ts';
import { useInstance, useNetwork } from '../../app/use-one.ts';
import { Button } from '../../parts/button.tsx';
import { count, formatDateTime } from '../../parts/format.ts';
import { Page } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import type { Column } from '../../parts/table/columns.ts';
import { Table } from '../../parts/table/table.tsx';
import { Ago } from '../../parts/time.tsx';

const columns: readonly Column<Change>[] = [
  {
    id: 'sequence',
    header: 'Revision',
    text: (c) => String(c.sequence),
    sort: (c) => c.sequence,
    width: [6, 0.4],
    card: 'title',
  },
  {
    id: 'at',
    header: 'When',
    text: (c) => formatDateTime(c.at),
    sort: (c) => c.at,
    cell: (c) => <Ago at={c.at} />,
    width: [7, 0.6],
  },
  { id: 'action', header: 'Action', text: actionText, width: [14, 1.4] },
  { id: 'actor', header: 'Actor', text: (c) => c.actor?.name ?? '—', width: [8, 0.8] },
  {
    id: 'networks',
    header: 'Networks',
    text: (c) => c.networks.map(({ name }) => name ?? 'deleted').join(', '),
    width: [8, 0.8],
  },
  { id: 'nodes', header: 'Instances', text: nodesText, width: [10, 1.2] },
  {
    id: 'correlation',
    header: 'Correlation',
    text: (c) => c.correlation_id ?? '—',
    width: [12, 1],
    mono: true,
    extra: true,
  },
];

/** What an operator did is named by its action, what the platform did by itself in words. */
function actionText({ action }: Change): string {
  if (action === null) return 'not recorded';
  return Object.entries<string>(platformActions).find(([name]) => name === action)?.[1] ?? action;
}

const namesShownMax = 3;

function nodesText({ nodes, node_count: total }: Change): string {
  if (total === null) return 'not recorded';
  if (total > namesShownMax) return count(total, 'instance');
  return total === 0 ? 'none' : nodes.map(({ hostname, instance_id }) => hostname ?? instance_id).join(', ');
}

export function ChangesPage() {
  const search = useSearch({ from: '/changes' });
  if (search.instance !== undefined) return <OfInstance instanceId={search.instance} />;
  if (search.network !== undefined) return <OfNetwork networkId={search.network} />;
  return (
    <Page title="Changes" intro="Every change of what networks should be, newest first.">
      <ChangeTable filter={{}} />
    </Page>
  );
}

function OfInstance({ instanceId }: { readonly instanceId: string }) {
  const { data } = useInstance(instanceId);
  const name = data?.instance.hostname ?? 'Instance';
  return (
    <Page
      title="Changes"
      crumbs={
        <Link to="/instances/$instanceId" params={{ instanceId }}>
          {name}
        </Link>
      }
      intro="The changes that reached this instance, newest first: the first one is its desired revision."
    >
      <ChangeTable filter={{ instance_id: instanceId }} />
    </Page>
  );
}

function OfNetwork({ networkId }: { readonly networkId: string }) {
  const { data } = useNetwork(networkId);
  return (
    <Page
      title="Changes"
      crumbs={
        <Link to="/networks/$networkId" params={{ networkId }}>
          {data?.network.name ?? 'Network'}
        </Link>
      }
      intro="The changes of this network and of what is in it, newest first."
    >
      <ChangeTable filter={{ network_id: networkId }} />
    </Page>
  );
}

function ChangeTable({ filter }: { readonly filter: ChangesFilter }) {
  const list = useChanges(filter);
  return (
    <Loaded what="changes" data={list.changes} error={list.error} retry={() => void list.refetch()}>
      {(rows) => (
        <Table
          what="changes"
          columns={columns}
          rows={rows}
          rowKey={(c) => String(c.sequence)}
          tools={
            list.hasNextPage ? (
              <Button
                variant="quiet"
                busy={list.isFetchingNextPage}
                onClick={() => void list.fetchNextPage()}
              >
                Load older
              </Button>
            ) : null
          }
          empty={
            <Empty icon="events" title="No change is known">
              Changes appear here when networks, peers or what they serve are changed.
            </Empty>
          }
        />
      )}
    </Loaded>
  );
}

type Change = Output<'listChanges'>['changes'][number];

interface ChangesFilter {
  readonly instance_id?: string;
  readonly network_id?: string;
}

/** The changes that reached an instance or a network, newest first, a page at a time: there may be very many. */
function useChanges(filter: ChangesFilter) {
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
