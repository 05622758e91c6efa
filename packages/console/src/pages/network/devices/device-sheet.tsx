// One device: what it is, what it has, whether that is still right, and shutting it out.
import type { UserDevice } from '@powernode/core/intent/user-device';
import { useState } from 'react';
import { EditForm } from '../../../app/edit-form.tsx';
import { NameField } from '../../../app/object-form.tsx';
import { useMay } from '../../../app/permissions.ts';
import { PlannedDialog } from '../../../app/planned-dialog.tsx';
import { tell } from '../../../app/toasts.ts';
import { useOne } from '../../../app/use-one.ts';
import { addressFacts } from '../../../parts/address-facts.tsx';
import { Button } from '../../../parts/button.tsx';
import { Copyable, CopyText } from '../../../parts/copy.tsx';
import { Sheet } from '../../../parts/dialog.tsx';
import { Facts, Tiles } from '../../../parts/facts.tsx';
import { TagsField } from '../../../parts/form.tsx';
import { formatBytes } from '../../../parts/format.ts';
import { Section } from '../../../parts/page.tsx';
import { Absent, Note } from '../../../parts/states.tsx';
import { Tags } from '../../../parts/tags.tsx';
import { Ago, DateTime } from '../../../parts/time.tsx';
import { ObjectLink } from '../object-link.tsx';
import { useSheet } from '../use-sheet.ts';
import type { ViewProps } from '../view.ts';
import { DeviceMark, isBeingRevoked } from './device-mark.tsx';
import { ReissueDialog } from './reissue-dialog.tsx';

type Device = UserDevice & { readonly config: string };

export function DeviceSheet({ id, network }: ViewProps & { readonly id: string }) {
  const sheet = useSheet('user_device');
  const { data, error, refetch } = useOne(
    'user_devices',
    'getUserDevice',
    { user_device_id: id },
    { busy: ({ user_device }) => isBeingRevoked(user_device) },
  );
  const device = data?.user_device;
  return (
    <Sheet title={device?.name ?? 'Device'} onClose={sheet.close}>
      {device === undefined ? (
        <Absent what="the device" error={error} retry={() => void refetch()} />
      ) : (
        <Known device={device} network={network} />
      )}
    </Sheet>
  );
}

function Known({ device, network }: ViewProps & { readonly device: Device }) {
  const { revoked_on: revoked } = device;
  return (
    <>
      <div className="row">
        <DeviceMark device={device} chip />
      </div>
      {device.status === 'stale' ? (
        <Note tone="wait" icon="alert" title="Its configuration is out of date">
          {device.stale_reason ?? 'The network has changed since it was created. Reissue it.'}
        </Note>
      ) : null}
      {revoked === null ? null : (
        <div role="status">
          <Note tone={isBeingRevoked(device) ? 'wait' : 'idle'} icon="lock">
            Revoked on {revoked.done} of {revoked.of} {revoked.of === 1 ? 'hub' : 'hubs'} that had its key,
            since <DateTime at={device.revoked_at} />.
          </Note>
        </div>
      )}
      <DeviceActions device={device} network={network} />
      <Tiles
        tiles={[
          { name: 'Last handshake', value: <Ago at={device.last_handshake_at} /> },
          { name: 'Received', value: formatBytes(device.rx_bytes) },
          { name: 'Sent', value: formatBytes(device.tx_bytes) },
        ]}
      />
      <Facts
        facts={[
          ...addressFacts(device.host_address, device.ipv4_address),
          [
            'Hub',
            <ObjectLink
              key="h"
              networkId={network.id}
              object={{ type: 'peer', id: device.hub_peer_id, name: device.hub_hostname }}
            />,
          ],
          ['Tags', <Tags key="t" tags={device.tags} />],
          ['Public key', <Copyable key="k" text={device.public_key} label="the public key" />],
          ['Created', <DateTime key="c" at={device.created_at} />],
          ['ID', <Copyable key="i" text={device.id} label="the ID" />],
        ]}
      />
      {device.status === 'revoked' ? null : (
        <Section title="Configuration" aside={<span className="muted">without the private key</span>}>
          <CopyText text={device.config} label="the configuration" />
        </Section>
      )}
    </>
  );
}

function DeviceActions({ device, network }: ViewProps & { readonly device: Device }) {
  const may = useMay('updateUserDevice');
  const [opened, setOpened] = useState<'edit' | 'reissue' | 'revoke' | null>(null);
  const close = () => setOpened(null);
  if (!may || device.status === 'revoked') return null;
  if (opened === 'edit') return <EditDevice device={device} onClose={close} />;
  return (
    <>
      <div className="row">
        <Button icon="pencil" onClick={() => setOpened('edit')}>
          Edit
        </Button>
        <Button icon="refresh" onClick={() => setOpened('reissue')}>
          Reissue
        </Button>
        <Button icon="lock" onClick={() => setOpened('revoke')}>
          Revoke
        </Button>
      </div>
      {opened === 'reissue' ? <ReissueDialog device={device} network={network} onClose={close} /> : null}
      {opened === 'revoke' ? (
        <PlannedDialog
          action="revokeUserDevice"
          parameters={{ user_device_id: device.id, if_revision: device.revision }}
          title={`Revoke ${device.name}`}
          verb="Revoke device"
          onClose={close}
          onDone={({ user_device }) => {
            close();
            const on = user_device.revoked_on;
            const done = on === null ? '' : `: done on ${on.done} of ${on.of}`;
            tell({ tone: 'done', text: `${device.name} is revoked${done}` });
          }}
        >
          Its hub drops it at once, and its key is never accepted again. To return, it needs a new access
          grant.
        </PlannedDialog>
      ) : null}
    </>
  );
}

const valuesOf = ({ name, tags }: UserDevice): Pick<UserDevice, 'name' | 'tags'> => ({ name, tags });

function EditDevice({ device, onClose }: { readonly device: UserDevice; readonly onClose: () => void }) {
  return (
    <EditForm
      action="updateUserDevice"
      object={device}
      named={{ user_device_id: device.id }}
      valuesOf={valuesOf}
      parametersOf={(values) => values}
      label="Edit the device"
      panel
      onCancel={onClose}
      onDone={onClose}
    >
      {({ values, set, errorOf }) => (
        <>
          <NameField {...{ values, set, errorOf }} />
          <TagsField
            label="Tags"
            optional
            hint="Firewall rules can select devices by tag."
            tags={values.tags}
            onChange={(tags) => set({ tags: [...tags] })}
            error={errorOf('tags')}
          />
        </>
      )}
    </EditForm>
  );
}
