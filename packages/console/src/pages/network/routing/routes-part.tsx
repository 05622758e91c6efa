// The routes of a network to prefixes behind peers: where each comes from, who is in front of it, which peer is used.
import { useMemo } from 'react';
import { Button } from '../../../parts/button.tsx';
import { Empty, Loaded } from '../../../parts/states.tsx';
import { Status } from '../../../parts/status.tsx';
import type { Column, Facet } from '../../../parts/table/columns.ts';
import { Table } from '../../../parts/table/table.tsx';
import { type NameOf, usePeerNames } from '../names.ts';
import { ObjectLink } from '../object-link.tsx';
import type { ViewProps } from '../view.ts';
import { bestWords, type RouteRow, sourceWords } from './route-rows.ts';
import { RouteSheet } from './route-sheet.tsx';
import { useRoutePlace } from './use-route-place.ts';
import { useRoutes } from './use-routes.ts';

/** Holders that are named in a row; more are counted. */
const namedMax = 3;

interface Shown {
  readonly networkId: string;
  readonly nameOf: NameOf;
  readonly explain: (prefix: string) => void;
}

function columnsWith({ networkId, nameOf, explain }: Shown): readonly Column<RouteRow>[] {
  const names = ({ holders }: RouteRow) => holders.map(({ peerId }) => nameOf(peerId));
  return [
    { id: 'prefix', header: 'Prefix', text: (r) => r.id, width: [12, 1.4], mono: true, card: 'title' },
    { id: 'source', header: 'Source', text: (r) => sourceWords[r.source], width: [6, 0.6] },
    {
      id: 'holders',
      header: 'Behind',
      text: (r) => names(r).join(', '),
      cell: (r) => {
        const left = r.holders.length - namedMax;
        return `${names(r).slice(0, namedMax).join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
      },
      width: [9, 1.6],
    },
    {
      id: 'best',
      header: 'Best path',
      text: (r) => (r.best === null ? bestWords(r, nameOf) : nameOf(r.best)),
      cell: (r, { tabIndex }) =>
        r.best === null ? (
          <Status {...(r.nearestOf.length > 1 ? { ...nearest, text: bestWords(r, nameOf) } : noPath)} />
        ) : (
          <ObjectLink
            networkId={networkId}
            object={{ type: 'peer', id: r.best, name: `via ${nameOf(r.best)}` }}
            tabIndex={tabIndex}
          />
        ),
      width: [8, 1],
    },
    { id: 'description', header: 'Description', text: (r) => r.description, width: [9, 1.4], card: 'wide' },
    {
      id: 'actions',
      header: 'Explain',
      text: () => '',
      cell: (r, { tabIndex }) => (
        <Button size="small" tabIndex={tabIndex} aria-label={`Explain ${r.id}`} onClick={() => explain(r.id)}>
          Explain
        </Button>
      ),
      width: [6, 0.4],
      unsortable: true,
    },
  ];
}

const nearest = {
  tone: 'ok',
  shape: 'full',
  hint: 'Each peer uses the holder with the shortest round trip',
} as const;

const noPath = {
  tone: 'bad',
  shape: 'cross',
  text: 'none usable',
  hint: 'No peer in front of it is reachable, or policies deny all paths',
} as const;

export function RoutesPart({ network }: ViewProps) {
  const { rows, error, retry } = useRoutes(network.id);
  const { nameOf } = usePeerNames(network.id);
  const place = useRoutePlace();
  const { open } = place;
  const columns = useMemo(
    () => columnsWith({ networkId: network.id, nameOf, explain: (prefix) => open(prefix) }),
    [network.id, nameOf, open],
  );
  const facets = useMemo<readonly Facet<RouteRow>[]>(
    () => [
      { id: 'source', any: 'Any source', of: (r) => sourceWords[r.source] },
      {
        id: 'best',
        any: 'Any best path',
        of: (r) => (r.best === null ? bestWords(r, nameOf) : nameOf(r.best)),
      },
    ],
    [nameOf],
  );
  return (
    <>
      <Loaded what="the routes" data={rows} error={error} retry={retry}>
        {(found) => (
          <Table
            what="routes"
            columns={columns}
            facets={facets}
            rows={found}
            rowKey={(r) => r.id}
            selectedKey={place.prefix}
            onOpen={(r) => open(r.id)}
            empty={
              <Empty icon="networks" title="No routes yet">
                No prefix is behind a peer. Open a peer and declare its LANs: every other peer then routes to
                them.
              </Empty>
            }
          />
        )}
      </Loaded>
      {place.prefix === null ? null : (
        <RouteSheet
          key={place.prefix}
          prefix={place.prefix}
          row={rows?.find(({ id }) => id === place.prefix) ?? null}
          network={network}
          place={place}
        />
      )}
    </>
  );
}
