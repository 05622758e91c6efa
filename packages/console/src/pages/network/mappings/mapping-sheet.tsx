// One port mapping: the port outside, what it leads to now, who may come, and what is wrong with it.
import type { PortMapping } from '@powernode/core/intent/port-mapping';
import { useState } from 'react';
import { useMay } from '../../../app/permissions.ts';
import { PlannedDialog } from '../../../app/planned-dialog.tsx';
import { tell } from '../../../app/toasts.ts';
import { useOne } from '../../../app/use-one.ts';
import { Button } from '../../../parts/button.tsx';
import { Copyable } from '../../../parts/copy.tsx';
import { Sheet } from '../../../parts/dialog.tsx';
import { type Fact, Facts } from '../../../parts/facts.tsx';
import { mappingLooks } from '../../../parts/service-statuses.tsx';
import { Absent, Note } from '../../../parts/states.tsx';
import { Status } from '../../../parts/status.tsx';
import { DateTime } from '../../../parts/time.tsx';
import { usePeerNames, useVirtualIpNames } from '../names.ts';
import { ObjectLink } from '../object-link.tsx';
import { useSheet } from '../use-sheet.ts';
import type { ViewProps } from '../view.ts';
import { EditMapping } from './mapping-form.tsx';
import { externalText, targetWords } from './words.ts';

export function MappingSheet({ id, network }: ViewProps & { readonly id: string }) {
  const sheet = useSheet('port_mapping');
  const { data, error, refetch } = useOne('port_mappings', 'getPortMapping', { port_mapping_id: id });
  const mapping = data?.port_mapping;
  return (
    <Sheet title={mapping === undefined ? 'Port mapping' : externalText(mapping)} onClose={sheet.close}>
      {mapping === undefined ? (
        <Absent what="the port mapping" error={error} retry={() => void refetch()} />
      ) : (
        <>
          <div className="row">
            <Status {...mappingLooks[mapping.status]} chip />
          </div>
          {mapping.status_detail === null ? null : (
            <Note tone={mappingLooks[mapping.status].tone} icon="alert">
              {mapping.status_detail}
            </Note>
          )}
          <MappingActions mapping={mapping} network={network} onGone={sheet.close} />
          <MappingFacts mapping={mapping} network={network} />
        </>
      )}
    </Sheet>
  );
}

function MappingFacts({ mapping, network }: ViewProps & { readonly mapping: PortMapping }) {
  const peer = usePeerNames(network.id).nameOf;
  const virtualIp = useVirtualIpNames(network.id).nameOf;
  const { internal_peer_id, internal_virtual_ip_id, status } = mapping;
  const words = targetWords(mapping, { peer, virtualIp });
  const target =
    internal_virtual_ip_id === null
      ? { type: 'peer', id: internal_peer_id ?? '', name: words }
      : { type: 'virtual_ip', id: internal_virtual_ip_id, name: words };
  const limit = (n: number | null, unit: string) =>
    n === null ? 'no limit' : `${n.toLocaleString('en-US')} ${unit}`;
  const facts: readonly Fact[] = [
    ['External address', <Copyable key="e" text={mapping.external_address} label="the external address" />],
    ['External port', `${mapping.protocol} ${mapping.external_port}`],
    [
      'Hub',
      <ObjectLink
        key="h"
        networkId={network.id}
        object={{ type: 'peer', id: mapping.hub_peer_id, name: mapping.hub_hostname }}
      />,
    ],
    [
      'Target',
      status === 'target_missing' ? words : <ObjectLink key="t" networkId={network.id} object={target} />,
    ],
    [
      'Target address',
      mapping.internal_address === null ? null : (
        <Copyable key="n" text={mapping.internal_address} label="the target address" />
      ),
    ],
    [
      'Client IP preserved',
      mapping.keeps_client_address ? 'yes' : 'no: packets reach the target with the address of the hub',
    ],
    ['Allowed sources', mapping.source_cidrs.length === 0 ? 'any' : mapping.source_cidrs.join(', ')],
    ['New connections', limit(mapping.rate_limit, 'per second')],
    ['Concurrent connections', limit(mapping.max_connections, 'at most')],
    ['Created', <DateTime key="c" at={mapping.created_at} />],
    ['ID', <Copyable key="i" text={mapping.id} label="the ID" />],
  ];
  return <Facts facts={facts} />;
}

interface ActionsProps extends ViewProps {
  readonly mapping: PortMapping;
  readonly onGone: () => void;
}

function MappingActions({ mapping, network, onGone }: ActionsProps) {
  const may = useMay('updatePortMapping');
  const [opened, setOpened] = useState<'edit' | 'delete' | null>(null);
  const close = () => setOpened(null);
  if (!may) return null;
  if (opened === 'edit')
    return <EditMapping mapping={mapping} network={network} onCancel={close} onDone={close} />;
  return (
    <>
      <div className="row">
        <Button icon="pencil" onClick={() => setOpened('edit')}>
          Edit
        </Button>
        <Button icon="trash" onClick={() => setOpened('delete')}>
          Delete
        </Button>
      </div>
      {opened === 'delete' ? (
        <PlannedDialog
          action="deletePortMapping"
          parameters={{ port_mapping_id: mapping.id, if_revision: mapping.revision }}
          title={`Delete ${externalText(mapping)}`}
          verb="Delete port mapping"
          onClose={close}
          onDone={() => {
            tell({ tone: 'done', text: `${externalText(mapping)} is deleted` });
            onGone();
          }}
        >
          The port is closed: new connections are refused, and open ones end.
        </PlannedDialog>
      ) : null}
    </>
  );
}
