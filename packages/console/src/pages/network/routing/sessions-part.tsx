// The sessions of BGP of a network, each as each of its two ends sees it.
import type { BgpSession } from '@powernode/core/intent/bgp';
import { ListTable } from '../../../app/list-table.tsx';
import { useRows } from '../../../app/use-rows.ts';
import { Empty } from '../../../parts/states.tsx';
import { Status } from '../../../parts/status.tsx';
import type { Column, Facet } from '../../../parts/table/columns.ts';
import { Ago } from '../../../parts/time.tsx';
import { useSheet } from '../use-sheet.ts';
import type { ViewProps } from '../view.ts';
import { isEstablished, sessionLook } from './session-look.ts';
import { SessionSheet } from './session-sheet.tsx';

const columns: readonly Column<BgpSession>[] = [
  { id: 'peer', header: 'Peer', text: (s) => s.hostname, width: [8, 1.2], card: 'title' },
  { id: 'neighbor', header: 'Neighbor', text: (s) => s.neighbor_hostname, width: [8, 1.2] },
  {
    id: 'state',
    header: 'State',
    text: (s) => sessionLook(s).text,
    cell: (s) => <Status {...sessionLook(s)} />,
    width: [8.5, 0.8],
  },
  {
    id: 'uptime',
    header: 'Uptime',
    text: (s) => (isEstablished(s) ? (s.uptime ?? '') : ''),
    sort: (s) => (isEstablished(s) ? s.uptime_seconds : null),
    cell: (s) => (isEstablished(s) ? <span className="num">{s.uptime}</span> : <Unknown />),
    width: [6, 0.5],
    end: true,
  },
  {
    id: 'prefixes',
    header: 'Prefixes',
    text: () => '',
    sort: (s) => (isEstablished(s) ? s.prefixes_received : null),
    cell: (s) => (isEstablished(s) ? <span className="num">{s.prefixes_received}</span> : <Unknown />),
    width: [5.5, 0.5],
    end: true,
  },
  {
    id: 'error',
    header: 'Last error',
    text: (s) => s.last_error ?? '',
    cell: (s) => s.last_error ?? <Unknown />,
    width: [10, 1.6],
    card: 'wide',
  },
  {
    id: 'observed',
    header: 'Observed',
    text: (s) => s.observed_at ?? '',
    sort: (s) => s.observed_at,
    cell: (s) => <Ago at={s.observed_at} />,
    width: [6.5, 0.5],
  },
];

function Unknown() {
  return <span className="muted">—</span>;
}

const facets: readonly Facet<BgpSession>[] = [
  { id: 'state', any: 'Any state', of: (s) => sessionLook(s).text },
];

export function SessionsPart({ network }: ViewProps) {
  // Prefixes and states beside Established come without events.
  const sessions = useRows(
    'getBgpSessions',
    { network_id: network.id },
    { busy: (rows) => rows.some((one) => !one.stale && !isEstablished(one)) },
  );
  const sheet = useSheet('bgp_session');
  return (
    <>
      <ListTable
        what="BGP sessions"
        list={sessions}
        columns={columns}
        facets={facets}
        selectedKey={sheet.id}
        onOpen={(session) => sheet.open(session.id)}
        empty={<NoSessions mode={network.routing_mode} />}
      />
      {sheet.id === null ? null : (
        <SessionSheet key={sheet.id} id={sheet.id} sessions={sessions} onClose={sheet.close} />
      )}
    </>
  );
}

function NoSessions({ mode }: { readonly mode: ViewProps['network']['routing_mode'] }) {
  if (mode === 'static') {
    return (
      <Empty icon="networks" title="No BGP sessions">
        With static routing peers do not speak BGP: each prefix is routed to the reachable peer with the
        highest preference. Change the routing mode to iBGP for route policies.
      </Empty>
    );
  }
  return (
    <Empty icon="networks" title="No BGP sessions yet">
      Hubs are route reflectors, and each other peer has a session with every hub. Attach a hub and another
      peer.
    </Empty>
  );
}
