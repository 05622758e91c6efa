// People's devices in a network, and the grants that let them in.
import type { UserDevice } from '@powernode/core/intent/user-device';
import { ListTable } from '../../../app/list-table.tsx';
import { useOpener } from '../../../app/use-opener.tsx';
import { useRows } from '../../../app/use-rows.ts';
import { Section } from '../../../parts/page.tsx';
import { deviceLooks } from '../../../parts/service-statuses.tsx';
import { Empty } from '../../../parts/states.tsx';
import type { Column, Facet } from '../../../parts/table/columns.ts';
import { Tags } from '../../../parts/tags.tsx';
import { tunnelColumns } from '../../../parts/tunnel-columns.tsx';
import { useSheet } from '../use-sheet.ts';
import type { ViewProps } from '../view.ts';
import { AccessGrants } from './access-grants.tsx';
import { DeviceMark, isBeingRevoked } from './device-mark.tsx';
import { DeviceSheet } from './device-sheet.tsx';
import { GrantDialog } from './grant-access.tsx';

const tunnel = tunnelColumns<UserDevice>();

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
  ...tunnel.traffic,
  {
    id: 'tags',
    header: 'Tags',
    text: (d) => d.tags.join(' '),
    cell: (d) => <Tags tags={d.tags} />,
    width: [7, 0.9],
  },
  tunnel.ipv4,
  tunnel.key,
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
  const grant = useOpener('createAccessGrant', {
    text: 'New access grant',
    opens: (close) => <GrantDialog title="New access grant" network={network} onClose={close} />,
  });
  return (
    <>
      <ListTable
        what="devices"
        list={devices}
        actions={grant.button}
        columns={columns}
        facets={facets}
        selectedKey={sheet.id}
        onOpen={(d) => sheet.open(d.id)}
        empty={
          <Empty icon="device" title="No devices yet" action={grant.button}>
            Laptops and phones that run plain WireGuard. An access grant is a one-time link to a page that
            generates the keys on the device.
          </Empty>
        }
      />
      <Section title="Access grants">
        <AccessGrants networkId={network.id} />
      </Section>
      {grant.opened}
      {sheet.id === null ? null : <DeviceSheet key={sheet.id} id={sheet.id} network={network} />}
    </>
  );
}
