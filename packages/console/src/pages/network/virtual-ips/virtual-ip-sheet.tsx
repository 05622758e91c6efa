// One virtual IP: who holds it, who could, where it has been, and moving it.
import type { VirtualIp } from '@powernode/core/intent/virtual-ip';
import { useState } from 'react';
import { useMay } from '../../../app/permissions.ts';
import { PlannedDialog } from '../../../app/planned-dialog.tsx';
import { tell } from '../../../app/toasts.ts';
import { useOne } from '../../../app/use-one.ts';
import { addressFacts } from '../../../parts/address-facts.tsx';
import { Button } from '../../../parts/button.tsx';
import { Copyable } from '../../../parts/copy.tsx';
import { Sheet } from '../../../parts/dialog.tsx';
import { Facts, Tiles } from '../../../parts/facts.tsx';
import { Section } from '../../../parts/page.tsx';
import { virtualIpLooks } from '../../../parts/service-statuses.tsx';
import { Absent, Note } from '../../../parts/states.tsx';
import { Status } from '../../../parts/status.tsx';
import { Ago, DateTime } from '../../../parts/time.tsx';
import { usePeerNames } from '../names.ts';
import { ObjectLink } from '../object-link.tsx';
import { useSheet } from '../use-sheet.ts';
import type { ViewProps } from '../view.ts';
import { FailoverDialog } from './failover-dialog.tsx';
import { HoldersSection } from './holders.tsx';
import { Transitions } from './transitions.tsx';
import { EditVirtualIp } from './virtual-ip-form.tsx';
import { holderWords, isMoving } from './words.ts';

export function VirtualIpSheet({ id, network }: ViewProps & { readonly id: string }) {
  const sheet = useSheet('virtual_ip');
  const { data, error, refetch } = useOne(
    'virtual_ips',
    'getVirtualIp',
    { virtual_ip_id: id },
    { busy: ({ virtual_ip }) => isMoving(virtual_ip) },
  );
  const { nameOf } = usePeerNames(network.id);
  const ip = data?.virtual_ip;
  return (
    <Sheet title={ip?.name ?? 'Virtual IP'} onClose={sheet.close}>
      {ip === undefined ? (
        <Absent what="the virtual IP" error={error} retry={() => void refetch()} />
      ) : (
        <>
          <div className="row">
            <Status {...virtualIpLooks[ip.state]} chip />
            {ip.anycast ? <span className="tag">anycast</span> : null}
          </div>
          {ip.state_detail === null ? null : (
            <Note tone={virtualIpLooks[ip.state].tone} icon="alert">
              {ip.state_detail}
            </Note>
          )}
          <VirtualIpActions ip={ip} network={network} onGone={sheet.close} />
          <Tiles
            tiles={[
              { name: 'Holder', value: holderWords(ip, nameOf) },
              { name: 'Moved', value: <Ago at={ip.last_transition_at} /> },
              { name: 'Epoch', value: ip.epoch, more: 'older ones are rejected' },
            ]}
          />
          <Facts
            facts={[
              ...addressFacts(ip.address, ip.ipv4_address),
              [
                ip.anycast ? 'First holder' : 'Primary holder',
                <ObjectLink
                  key="p"
                  networkId={network.id}
                  object={{
                    type: 'peer',
                    id: ip.primary_holder_peer_id,
                    name: nameOf(ip.primary_holder_peer_id),
                  }}
                />,
              ],
              [
                'Preempt',
                ip.preempt
                  ? 'returns to the primary holder once that is healthy'
                  : 'stays with the current holder',
              ],
              ['Hold-down', `${ip.hold_down_seconds} s`],
              ['Created', <DateTime key="c" at={ip.created_at} />],
              ['ID', <Copyable key="i" text={ip.id} label="the ID" />],
            ]}
          />
          <HoldersSection ip={ip} holders={ip.holders} network={network} nameOf={nameOf} />
          <Section title="History" aside={<span className="muted">the last 20</span>}>
            <Transitions transitions={ip.transitions} networkId={network.id} nameOf={nameOf} />
          </Section>
        </>
      )}
    </Sheet>
  );
}

interface ActionsProps extends ViewProps {
  readonly ip: VirtualIp;
  readonly onGone: () => void;
}

function VirtualIpActions({ ip, network, onGone }: ActionsProps) {
  const may = useMay('updateVirtualIp');
  const [opened, setOpened] = useState<'edit' | 'failover' | 'delete' | null>(null);
  const close = () => setOpened(null);
  if (!may) return null;
  if (opened === 'edit') return <EditVirtualIp ip={ip} network={network} onCancel={close} onDone={close} />;
  return (
    <>
      <div className="row">
        {ip.anycast ? null : (
          <Button icon="swap" onClick={() => setOpened('failover')}>
            Fail over
          </Button>
        )}
        <Button icon="pencil" onClick={() => setOpened('edit')}>
          Edit
        </Button>
        <Button icon="trash" onClick={() => setOpened('delete')}>
          Delete
        </Button>
      </div>
      {opened === 'failover' ? <FailoverDialog ip={ip} onClose={close} /> : null}
      {opened === 'delete' ? (
        <PlannedDialog
          action="deleteVirtualIp"
          parameters={{ virtual_ip_id: ip.id, if_revision: ip.revision }}
          title={`Delete ${ip.name}`}
          verb="Delete virtual IP"
          onClose={close}
          onDone={() => {
            tell({ tone: 'done', text: `${ip.name} is deleted` });
            onGone();
          }}
        >
          Its holder stops answering for {ip.address}, which is not assigned again for 7 days.
        </PlannedDialog>
      ) : null}
    </>
  );
}
