// All peers of a network as a table.
import { useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { ListTable } from '../../app/list-table.tsx';
import { type Row, useRows } from '../../app/use-rows.ts';
import { count } from '../../parts/format.ts';
import { type PeerState, peerStateOf } from '../../parts/peer-state.ts';
import { PathMark, PeerStatusMark, peerLooks, SyncMark } from '../../parts/statuses.tsx';
import type { Column, Facet } from '../../parts/table/columns.ts';
import { Tags } from '../../parts/tags.tsx';
import { tunnelColumns } from '../../parts/tunnel-columns.tsx';
import { NoPeers, type TopologyViewProps } from './topology-view.tsx';
import { useSheet } from './use-sheet.ts';

type Peer = Row<'listPeers'>;

const statuses = Object.keys(peerLooks) as PeerState[];

export function inSync(peer: Pick<Peer, 'applied_revision' | 'desired_revision'>): boolean {
  return peer.applied_revision !== null && peer.applied_revision >= peer.desired_revision;
}

const tunnel = tunnelColumns<Peer>();

// oxlint-disable-next-line max-lines-per-function -- a table of columns as data
function columnsWith(hubName: (id: string | null) => string | null): readonly Column<Peer>[] {
  return [
    {
      id: 'hostname',
      header: 'Peer',
      text: (p) => p.hostname,
      cell: (p) => (
        <>
          {p.hostname} {p.role === 'hub' ? <span className="tag">hub</span> : null}
          {p.draining ? <span className="tag">draining</span> : null}
        </>
      ),
      width: [8.5, 1.6],
      card: 'title',
    },
    {
      id: 'address',
      header: 'Address',
      text: (p) => p.host_address,
      width: [11.5, 1.4],
      mono: true,
      card: 'wide',
    },
    { id: 'role', header: 'Role', text: (p) => p.role, width: [4.5, 0.4], extra: true },
    {
      id: 'status',
      header: 'Status',
      text: (p) => peerLooks[peerStateOf(p)].text,
      cell: (p) => <PeerStatusMark peer={p} />,
      width: [7.5, 0.8],
    },
    {
      id: 'path',
      header: 'Path',
      text: (p) => (p.path === 'direct' ? 'direct' : `via ${hubName(p.via_hub_peer_id) ?? 'hub'}`),
      cell: (p) => <PathMark path={p.path} hub={hubName(p.via_hub_peer_id)} />,
      width: [6.5, 0.9],
    },
    {
      id: 'direct',
      header: 'Direct peers',
      text: (p) => count(p.direct_peer_ids.length, 'spoke'),
      sort: (p) => p.direct_peer_ids.length,
      width: [6.5, 0.5],
      end: true,
      extra: true,
    },
    ...tunnel.traffic,
    {
      id: 'revision',
      header: 'Configuration',
      text: (p) => (inSync(p) ? 'in sync' : 'out of date'),
      cell: (p) => <SyncMark inSync={inSync(p)} />,
      width: [5.5, 0.5],
    },
    {
      id: 'tags',
      header: 'Tags',
      text: (p) => p.tags.join(' '),
      cell: (p) => <Tags tags={p.tags} />,
      width: [7, 1],
    },
    {
      id: 'endpoint',
      header: 'Endpoint',
      text: (p) => p.endpoint ?? '',
      width: [11, 1],
      mono: true,
      extra: true,
    },
    tunnel.ipv4,
    tunnel.key,
  ];
}

export function PeersView({ network, attach }: TopologyViewProps) {
  const sheet = useSheet('peer');
  const search = useSearch({ from: '/networks/$networkId' });
  const peers = useRows('listPeers', { network_id: network.id }, { busy });
  const names = useMemo(() => new Map(peers.rows.filter(isHub).map((p) => [p.id, p.hostname])), [peers.rows]);
  const columns = useMemo(() => columnsWith((id) => (id === null ? null : (names.get(id) ?? null))), [names]);
  const facets = useMemo<readonly Facet<Peer>[]>(
    () => [
      {
        id: 'status',
        any: 'Any status',
        of: peerStateOf,
        choices: statuses.map((value) => ({ value, text: peerLooks[value].text })),
      },
      {
        id: 'hub',
        any: 'Any path',
        of: (p) => p.via_hub_peer_id ?? p.path,
        choices: [
          { value: 'direct', text: 'direct' },
          ...[...names].map(([value, name]) => ({ value, text: `via ${name}` })),
        ],
      },
    ],
    [names],
  );
  return (
    <ListTable
      key={`${search.status} ${search.hub}`}
      what="peers"
      columns={columns}
      facets={facets}
      list={peers}
      selectedKey={sheet.id}
      start={{ facets: { status: search.status ?? '', hub: search.hub ?? '' } }}
      onOpen={(p) => sheet.open(p.id)}
      empty={<NoPeers attach={attach} />}
    />
  );
}

function isHub(peer: Peer): boolean {
  return peer.role === 'hub';
}

function busy(peers: readonly Peer[]): boolean {
  return peers.some((p) => p.status === 'handshaking' || (p.applied_revision !== null && !inSync(p)));
}
