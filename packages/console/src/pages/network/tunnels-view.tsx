// All tunnels of a network as a table: who is configured with whom, and which have shaken hands.
import { useMemo } from 'react';
import type { Output } from '../../api/client.ts';
import { useTopology } from '../../app/use-one.ts';
import { useNow } from '../../parts/clock.ts';
import { Empty, Loaded } from '../../parts/states.tsx';
import { Status, type StatusProps } from '../../parts/status.tsx';
import type { Column, Facet } from '../../parts/table/columns.ts';
import { Table } from '../../parts/table/table.tsx';
import { Ago } from '../../parts/time.tsx';
import { type Tunnel, type TunnelHealth, type TunnelKind, tunnelsOf } from './tunnels.ts';

export const healthLooks: Readonly<Record<TunnelHealth, StatusProps>> = {
  up: { tone: 'ok', shape: 'full', text: 'up', hint: 'A handshake within 5 minutes' },
  stale: { tone: 'bad', shape: 'triangle', text: 'silent', hint: 'No handshake for 5 minutes' },
  down: {
    tone: 'bad',
    shape: 'cross',
    text: 'down',
    hint: 'Probes are not answered, or one of its peers is unreachable',
  },
  none: { tone: 'wait', shape: 'dotted', text: 'no handshake', hint: 'No handshake yet' },
};
const kindWords: Readonly<Record<TunnelKind, string>> = {
  backbone: 'between hubs',
  direct: 'direct',
  shortcut: 'between spokes',
  relay: 'relay',
  standby: 'standby',
};

const columns: readonly Column<Tunnel>[] = [
  { id: 'a', header: 'From', text: (t) => t.a.hostname, width: [8, 1.2], card: 'title' },
  { id: 'b', header: 'To', text: (t) => t.b.hostname, width: [8, 1.2] },
  { id: 'kind', header: 'Type', text: (t) => kindWords[t.kind], width: [6.5, 0.6] },
  {
    id: 'health',
    header: 'State',
    text: (t) => healthLooks[t.health].text,
    cell: (t) => <Status {...healthLooks[t.health]} />,
    width: [7.5, 0.7],
  },
  {
    id: 'handshake',
    header: 'Last handshake',
    text: (t) => t.lastHandshakeAt ?? '',
    sort: (t) => t.lastHandshakeAt,
    cell: (t) => <Ago at={t.lastHandshakeAt} />,
    width: [6, 0.6],
  },
  {
    id: 'atA',
    header: 'Interface (from)',
    text: (t) => t.fromA?.interface ?? 'not configured',
    width: [8, 0.8],
    mono: true,
  },
  {
    id: 'atB',
    header: 'Interface (to)',
    text: (t) => t.fromB?.interface ?? 'not configured',
    width: [8, 0.8],
    mono: true,
  },
  {
    id: 'endpoint',
    header: 'Endpoint',
    text: (t) => t.fromA?.endpoint ?? t.fromB?.endpoint ?? '',
    width: [10.5, 1],
    mono: true,
    card: 'wide',
  },
];

const facets: readonly Facet<Tunnel>[] = [
  { id: 'kind', any: 'Any type', of: (t) => t.kind, choices: choicesOf(kindWords) },
  {
    id: 'health',
    any: 'Any state',
    of: (t) => t.health,
    choices: Object.entries(healthLooks).map(([value, look]) => ({ value, text: look.text })),
  },
];

function choicesOf(words: Readonly<Record<string, string>>) {
  return Object.entries(words).map(([value, text]) => ({ value, text }));
}

/** A tunnel grows old without an event. */
const ageMs = 15_000;

export function TunnelsView({ network }: { readonly network: Output<'getNetwork'>['network'] }) {
  const topology = useTopology(network.id, { enabled: true });
  const now = Math.floor(useNow() / ageMs) * ageMs;
  const found = topology.data?.topology;
  const tunnels = useMemo(() => (found === undefined ? undefined : tunnelsOf(found, now)), [found, now]);
  return (
    <Loaded what="tunnels" data={tunnels} error={topology.error} retry={() => void topology.refetch()}>
      {(rows) => (
        <Table
          what="tunnels"
          columns={columns}
          facets={facets}
          rows={rows}
          rowKey={(t) => t.id}
          empty={
            <Empty icon="networks" title="No tunnels yet">
              Tunnels appear once two peers are configured for each other.
            </Empty>
          }
        />
      )}
    </Loaded>
  );
}
