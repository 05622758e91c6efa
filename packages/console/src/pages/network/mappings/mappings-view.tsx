// The port mappings of a network: which address and port outside leads to what inside.
import type { PortMapping } from '@powernode/core/intent/port-mapping';
import { useMemo } from 'react';
import { ListTable } from '../../../app/list-table.tsx';
import { useOpener } from '../../../app/use-opener.tsx';
import { useRows } from '../../../app/use-rows.ts';
import { Dialog } from '../../../parts/dialog.tsx';
import { mappingLooks } from '../../../parts/service-statuses.tsx';
import { Empty } from '../../../parts/states.tsx';
import { Status } from '../../../parts/status.tsx';
import type { Column, Facet } from '../../../parts/table/columns.ts';
import { type NameOf, usePeerNames, useVirtualIpNames } from '../names.ts';
import { openAfter, useSheet } from '../use-sheet.ts';
import type { ViewProps } from '../view.ts';
import { CreateMapping } from './mapping-form.tsx';
import { MappingSheet } from './mapping-sheet.tsx';
import { externalText, limitWords, targetWords } from './words.ts';

interface Names {
  readonly peer: NameOf;
  readonly virtualIp: NameOf;
}

function columnsWith(names: Names): readonly Column<PortMapping>[] {
  return [
    {
      id: 'external',
      header: 'External address',
      text: externalText,
      width: [11, 1.4],
      mono: true,
      card: 'title',
    },
    { id: 'hub', header: 'Hub', text: (m) => m.hub_hostname, width: [7, 0.8] },
    { id: 'target', header: 'Target', text: (m) => targetWords(m, names), width: [10, 1.3] },
    {
      id: 'address',
      header: 'Target address',
      text: (m) => m.internal_address ?? '—',
      width: [10, 1],
      mono: true,
    },
    {
      id: 'status',
      header: 'Status',
      text: (m) => mappingLooks[m.status].text,
      cell: (m) => <Status {...mappingLooks[m.status]} />,
      width: [8, 0.8],
    },
    {
      id: 'client',
      header: 'Client IP preserved',
      text: (m) => (m.keeps_client_address ? 'yes' : 'no'),
      width: [6.5, 0.5],
    },
    { id: 'limits', header: 'Limits', text: limitWords, width: [9, 1], card: 'wide' },
  ];
}

const facets: readonly Facet<PortMapping>[] = [
  {
    id: 'status',
    any: 'Any status',
    of: (m) => m.status,
    choices: Object.entries(mappingLooks).map(([value, look]) => ({ value, text: look.text })),
  },
  { id: 'hub', any: 'Any hub', of: (m) => m.hub_hostname },
  { id: 'protocol', any: 'TCP and UDP', of: (m) => m.protocol },
];

export function MappingsView({ network }: ViewProps) {
  const mappings = useRows('listPortMappings', { network_id: network.id });
  const peers = usePeerNames(network.id);
  const virtualIps = useVirtualIpNames(network.id);
  const columns = useMemo(
    () => columnsWith({ peer: peers.nameOf, virtualIp: virtualIps.nameOf }),
    [peers.nameOf, virtualIps.nameOf],
  );
  const sheet = useSheet('port_mapping');
  const create = useOpener('createPortMapping', {
    text: 'New port mapping',
    opens: (close) => (
      <Dialog title="New port mapping" onClose={close} wide>
        <CreateMapping network={network} onCancel={close} onDone={openAfter(close, sheet)} />
      </Dialog>
    ),
  });
  return (
    <>
      <ListTable
        what="port mappings"
        list={mappings}
        actions={create.button}
        columns={columns}
        facets={facets}
        selectedKey={sheet.id}
        onOpen={(m) => sheet.open(m.id)}
        empty={
          <Empty icon="portForward" title="No port mappings yet" action={create.button}>
            Forwards an external address and port of a hub to a peer or a virtual IP.
          </Empty>
        }
      />
      {create.opened}
      {sheet.id === null ? null : <MappingSheet key={sheet.id} id={sheet.id} network={network} />}
    </>
  );
}
