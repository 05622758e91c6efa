// The virtual IPs of a network: who holds each now, and who would be next.
import type { VirtualIp } from '@powernode/core/intent/virtual-ip';
import { useMemo } from 'react';
import { ListTable } from '../../../app/list-table.tsx';
import { tell } from '../../../app/toasts.ts';
import { useOpener } from '../../../app/use-opener.tsx';
import { useRows } from '../../../app/use-rows.ts';
import { Dialog } from '../../../parts/dialog.tsx';
import { virtualIpLooks } from '../../../parts/service-statuses.tsx';
import { Empty } from '../../../parts/states.tsx';
import { Status } from '../../../parts/status.tsx';
import type { Column, Facet } from '../../../parts/table/columns.ts';
import { Ago } from '../../../parts/time.tsx';
import { ipv4Column } from '../../../parts/tunnel-columns.tsx';
import { type NameOf, usePeerNames } from '../names.ts';
import { useSheet } from '../use-sheet.ts';
import type { ViewProps } from '../view.ts';
import { CreateVirtualIp } from './virtual-ip-form.tsx';
import { VirtualIpSheet } from './virtual-ip-sheet.tsx';
import { holderWords, isMoving, nextWords } from './words.ts';

function columnsWith(nameOf: NameOf): readonly Column<VirtualIp>[] {
  return [
    {
      id: 'name',
      header: 'Name',
      text: (ip) => ip.name,
      cell: (ip) => (
        <>
          {ip.name} {ip.anycast ? <span className="tag">anycast</span> : null}
        </>
      ),
      width: [8.5, 1.3],
      card: 'title',
    },
    {
      id: 'address',
      header: 'Address',
      text: (ip) => ip.address,
      width: [11.5, 1.3],
      mono: true,
      card: 'wide',
    },
    {
      id: 'state',
      header: 'State',
      text: (ip) => virtualIpLooks[ip.state].text,
      cell: (ip) => <Status {...virtualIpLooks[ip.state]} />,
      width: [7.5, 0.7],
    },
    { id: 'holder', header: 'Holder', text: (ip) => holderWords(ip, nameOf), width: [8, 1] },
    { id: 'next', header: 'Next', text: (ip) => nextWords(ip, nameOf), width: [9, 1.2] },
    {
      id: 'moved',
      header: 'Moved',
      text: (ip) => ip.last_transition_at ?? '',
      sort: (ip) => ip.last_transition_at,
      cell: (ip) => <Ago at={ip.last_transition_at} />,
      width: [6.5, 0.6],
    },
    ipv4Column(),
    {
      id: 'epoch',
      header: 'Epoch',
      text: (ip) => String(ip.epoch),
      sort: (ip) => ip.epoch,
      width: [5, 0.4],
      end: true,
      extra: true,
    },
  ];
}

export function VirtualIpsView({ network }: ViewProps) {
  const ips = useRows('listVirtualIps', { network_id: network.id }, { busy: (rows) => rows.some(isMoving) });
  const { nameOf } = usePeerNames(network.id);
  const columns = useMemo(() => columnsWith(nameOf), [nameOf]);
  const facets = useMemo<readonly Facet<VirtualIp>[]>(
    () => [
      {
        id: 'state',
        any: 'Any state',
        of: (ip) => ip.state,
        choices: Object.entries(virtualIpLooks).map(([value, look]) => ({ value, text: look.text })),
      },
      { id: 'holder', any: 'Any holder', of: (ip) => (ip.anycast ? '' : holderWords(ip, nameOf)) },
    ],
    [nameOf],
  );
  const sheet = useSheet('virtual_ip');
  const create = useOpener('createVirtualIp', {
    text: 'New virtual IP',
    opens: (close) => (
      <Dialog title="New virtual IP" onClose={close}>
        <CreateVirtualIp
          network={network}
          onCancel={close}
          onDone={(made) => {
            close();
            if (made === null) return;
            tell({ tone: 'done', text: `${made.name} is ${made.address}` });
            sheet.open(made.id);
          }}
        />
      </Dialog>
    ),
  });
  return (
    <>
      <ListTable
        what="virtual IPs"
        list={ips}
        actions={create.button}
        columns={columns}
        facets={facets}
        selectedKey={sheet.id}
        onOpen={(ip) => sheet.open(ip.id)}
        empty={
          <Empty icon="swap" title="No virtual IPs yet" action={create.button}>
            An address that one peer holds at a time. Another peer takes over when the holder fails.
          </Empty>
        }
      />
      {create.opened}
      {sheet.id === null ? null : <VirtualIpSheet key={sheet.id} id={sheet.id} network={network} />}
    </>
  );
}
