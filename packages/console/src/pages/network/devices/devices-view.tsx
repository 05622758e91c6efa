// People's devices in a network, and the grants that let them in.
import type { UserDevice } from '@powernode/core/intent/user-device';
import { useState } from 'react';
import { useMay } from '../../../app/permissions.ts';
import { useRows } from '../../../app/use-rows.ts';
import { Button } from '../../../parts/button.tsx';
import { formatBytes } from '../../../parts/format.ts';
import { Section } from '../../../parts/page.tsx';
import { deviceLooks } from '../../../parts/service-statuses.tsx';
import { Empty, Loaded } from '../../../parts/states.tsx';
import type { Column, Facet } from '../../../parts/table/columns.ts';
import { Table } from '../../../parts/table/table.tsx';
import { Tags } from '../../../parts/tags.tsx';
import { Ago } from '../../../parts/time.tsx';
import { useSheet } from '../use-sheet.ts';
import type { ViewProps } from '../view.ts';
import { AccessGrants } from './access-grants.tsx';
import { DeviceMark, isBeingRevoked } from './device-mark.tsx';
import { DeviceSheet } from './device-sheet.tsx';
import { GrantDialog } from './grant-access.tsx';

const columns: readonly Column<UserDevice>[] = [
  { id: 'name', header: 'Device', text: (d) => d.name, width: [8.5, 1.4], card: 'title' },
  {
    id: 'address',
    header: 'Address',
    text: (d) => d.host_address,
    width: [11, 1.2],
    mono: true,
    card: 'wide',
  },
  {
    id: 'status',
    header: 'Status',
    text: (d) => deviceLooks[d.status].text,
    cell: (d) => <DeviceMark device={d} />,
    width: [9, 0.9],
  },
  { id: 'hub', header: 'Hub', text: (d) => d.hub_hostname, width: [6.5, 0.8] },
  {
    id: 'handshake',
    header: 'Handshake',
    text: (d) => d.last_handshake_at ?? '',
    sort: (d) => d.last_handshake_at,
    cell: (d) => <Ago at={d.last_handshake_at} />,
    width: [6.5, 0.6],
  },
  {
    id: 'rx',
    header: 'Received',
    text: () => '',
    sort: (d) => d.rx_bytes,
    cell: (d) => <span className="num">{formatBytes(d.rx_bytes)}</span>,
    width: [5.5, 0.5],
    end: true,
  },
  {
    id: 'tx',
    header: 'Sent',
    text: () => '',
    sort: (d) => d.tx_bytes,
    cell: (d) => <span className="num">{formatBytes(d.tx_bytes)}</span>,
    width: [5.5, 0.5],
    end: true,
  },
  {
    id: 'tags',
    header: 'Tags',
    text: (d) => d.tags.join(' '),
    cell: (d) => <Tags tags={d.tags} />,
    width: [7, 0.9],
  },
  { id: 'ipv4', header: 'IPv4', text: (d) => d.ipv4_address ?? '', width: [8, 0.8], mono: true, extra: true },
  { id: 'key', header: 'Public key', text: (d) => d.public_key, width: [12, 1], mono: true, extra: true },
];

const facets: readonly Facet<UserDevice>[] = [
  {
    id: 'status',
    any: 'Any status',
    of: (d) => d.status,
    choices: Object.entries(deviceLooks).map(([value, look]) => ({ value, text: look.text })),
  },
  { id: 'hub', any: 'Any hub', of: (d) => d.hub_hostname },
];

export function DevicesView({ network }: ViewProps) {
  const devices = useRows(
    'listUserDevices',
    { network_id: network.id },
    { busy: (rows) => rows.some(isBeingRevoked) },
  );
  const sheet = useSheet('user_device');
  const may = useMay('createAccessGrant');
  const [granting, setGranting] = useState(false);
  const grant = may ? (
    <Button variant="primary" icon="join" onClick={() => setGranting(true)}>
      Grant access
    </Button>
  ) : null;
  return (
    <>
      <Loaded what="devices" data={devices.data} error={devices.error} retry={devices.retry}>
        {(rows) => (
          <>
            {rows.length === 0 ? null : <div className="actions">{grant}</div>}
            <Table
              what="devices"
              columns={columns}
              facets={facets}
              rows={rows}
              rowKey={(d) => d.id}
              loading={!devices.complete}
              selectedKey={sheet.id}
              onOpen={(d) => sheet.open(d.id)}
              empty={
                <Empty icon="device" title="No devices yet" action={grant}>
                  Laptops and phones of people, with plain WireGuard. A grant opens a page once, which makes
                  the keys on the device itself.
                </Empty>
              }
            />
          </>
        )}
      </Loaded>
      <Section title="Access grants">
        <AccessGrants networkId={network.id} />
      </Section>
      {granting ? (
        <GrantDialog title="Grant access" network={network} onClose={() => setGranting(false)} />
      ) : null}
      {sheet.id === null ? null : <DeviceSheet key={sheet.id} id={sheet.id} network={network} />}
    </>
  );
}
