// All peers of a network as a table.

import type { PeerStatus } from '@powernode/core/intent/peer';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { type Row, useRows } from '../../app/use-rows.ts';
import { count, formatBytes } from '../../parts/format.ts';
import { Loaded } from '../../parts/states.tsx';
import { PathMark, PeerStatusMark, peerLooks, SyncMark } from '../../parts/statuses.tsx';
import type { Column, Facet } from '../../parts/table/columns.ts';
import { Table } from '../../parts/table/table.tsx';
import { Tags } from '../../parts/tags.tsx';
import { Ago } from '../../parts/time.tsx';
import { NoPeers, type PictureViewProps } from './picture-view.tsx';

type Peer = Row<'listPeers'>;

const statuses = Object.keys(peerLooks) as PeerStatus[];

export function inSync(peer: Pick<Peer, 'applied_revision' | 'desired_revision'>): boolean {
  return peer.applied_revision !== null && peer.applied_revision >= peer.desired_revision;
}

function columnsWith(hubName: (id: string | null) => string | null): readonly Column<Peer>[] {
  return [
    {
      id: 'hostname',
      header: 'Machine',
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
      text: (p) => peerLooks[p.status].text,
      cell: (p) => <PeerStatusMark status={p.status} />,
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
      header: 'Directly with',
      text: (p) => count(p.direct_peer_ids.length, 'spoke'),
      sort: (p) => p.direct_peer_ids.length,
      width: [6.5, 0.5],
      end: true,
      extra: true,
    },
    {
      id: 'handshake',
      header: 'Handshake',
      text: (p) => p.last_handshake_at ?? '',
      sort: (p) => p.last_handshake_at,
      cell: (p) => <Ago at={p.last_handshake_at} />,
      width: [6.5, 0.6],
    },
    {
      id: 'rx',
      header: 'Received',
      text: () => '',
      sort: (p) => p.rx_bytes,
      cell: (p) => <span className="num">{formatBytes(p.rx_bytes)}</span>,
      width: [5.5, 0.5],
      end: true,
    },
    {
      id: 'tx',
      header: 'Sent',
      text: () => '',
      sort: (p) => p.tx_bytes,
      cell: (p) => <span className="num">{formatBytes(p.tx_bytes)}</span>,
      width: [5.5, 0.5],
      end: true,
    },
    {
      id: 'revision',
      header: 'Applied',
      text: (p) => (inSync(p) ? 'in sync' : 'behind'),
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
    {
      id: 'ipv4',
      header: 'IPv4',
      text: (p) => p.ipv4_address ?? '',
      width: [8, 0.8],
      mono: true,
      extra: true,
    },
    { id: 'key', header: 'Public key', text: (p) => p.public_key, width: [12, 1], mono: true, extra: true },
  ];
}

export function PeersView({ network, attach }: PictureViewProps) {
  const navigate = useNavigate();
  const search = useSearch({ from: '/networks/$networkId' });
  const peers = useRows('listPeers', { network_id: network.id }, { busy });
  const names = useMemo(() => new Map(peers.rows.filter(isHub).map((p) => [p.id, p.hostname])), [peers.rows]);
  const columns = useMemo(() => columnsWith((id) => (id === null ? null : (names.get(id) ?? null))), [names]);
  const facets = useMemo<readonly Facet<Peer>[]>(
    () => [
      {
        id: 'status',
        any: 'Any status',
        of: (p) => p.status,
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
    <Loaded what="peers" data={peers.data} error={peers.error} retry={peers.retry}>
      {(rows) => (
        <Table
          key={`${search.status} ${search.hub}`}
          what="peers"
          columns={columns}
          facets={facets}
          rows={rows}
          rowKey={(p) => p.id}
          loading={!peers.complete}
          selectedKey={search.peer ?? null}
          start={{ facets: { status: search.status ?? '', hub: search.hub ?? '' } }}
          onOpen={(p) =>
            void navigate({
              to: '/networks/$networkId',
              params: { networkId: network.id },
              search: { ...search, view: 'peers', peer: p.id },
            })
          }
          empty={<NoPeers attach={attach} />}
        />
      )}
    </Loaded>
  );
}

function isHub(peer: Peer): boolean {
  return peer.role === 'hub';
}

function busy(peers: readonly Peer[]): boolean {
  return peers.some((p) => p.status === 'handshaking' || (p.applied_revision !== null && !inSync(p)));
}
