// Issuing a device again after the network has changed: the same keys with a configuration of today, or new keys by a
// page that is opened on it.
import type { UserDevice } from '@powernode/core/intent/user-device';
import { approvalExpiryMs } from '@powernode/core/limits/requests';
import { useState } from 'react';
import type { Output, Parameters } from '../../../api/client.ts';
import { usePolicyMode } from '../../../app/permissions.ts';
import { useChange } from '../../../app/use-change.ts';
import { Button } from '../../../parts/button.tsx';
import { CopyText } from '../../../parts/copy.tsx';
import { Dialog } from '../../../parts/dialog.tsx';
import { SelectField } from '../../../parts/form.tsx';
import { Note, ProblemNote } from '../../../parts/states.tsx';
import type { ViewProps } from '../view.ts';
import { GrantDialog } from './grant-access.tsx';

export interface ReissueDialogProps extends ViewProps {
  readonly device: UserDevice;
  readonly onClose: () => void;
}

export function ReissueDialog({ device, network, onClose }: ReissueDialogProps) {
  const grant = useChange('createAccessGrant');
  const issue = useChange('issueUserDevice');
  const [issued, setIssued] = useState<Issued | null>(null);
  const [family, setFamily] = useState<Family>('');
  const [newKeys, setNewKeys] = useState(false);
  const modes = [usePolicyMode('createAccessGrant'), usePolicyMode('issueUserDevice')];
  const mayWait = modes.some((mode) => mode === 'require_approval' || mode === null);

  /** The grant that an issue needs is made and used at once, or by whoever approves of it. */
  async function keepKeys(): Promise<void> {
    const granted = await grant.run({
      network_id: network.id,
      device_name_hint: device.name,
      user_device_id: device.id,
      expires_in_seconds: mayWait ? issueSeconds + approvalExpiryMs / 1000 : issueSeconds,
    });
    if (granted?.kind === 'pending') onClose();
    if (granted?.kind !== 'done') return;
    const answer = await issue.run({
      network_id: network.id,
      access_grant_id: granted.body.access_grant.id,
      public_key: device.public_key,
      user_device_id: device.id,
      ...(family === '' ? {} : { endpoint_family: family }),
    });
    if (answer?.kind === 'pending') onClose();
    if (answer?.kind === 'done') setIssued(answer.body);
  }

  if (newKeys) {
    return (
      <GrantDialog
        title={`New keys for ${device.name}`}
        network={network}
        device={device}
        onClose={onClose}
      />
    );
  }
  if (issued !== null) return <ReissuedDialog issued={issued} onClose={onClose} />;
  return (
    <Dialog title={`Reissue ${device.name}`} onClose={onClose}>
      <p>
        The device keeps its address, name and tags. With the same keys, its owner replaces the configuration
        and keeps the private key. With new keys, a page opened on the device generates them, and the old key
        stops working.
      </p>
      <SelectField
        label="Hub endpoint"
        hint="With the same keys. A device without IPv4 needs an IPv6 endpoint."
        value={family}
        choices={families}
        onChange={setFamily}
        error={issue.fieldError('endpoint_family')}
      />
      <ProblemNote problem={grant.problem ?? issue.problem} />
      <div className="form-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button icon="key" onClick={() => setNewKeys(true)}>
          New keys
        </Button>
        <Button variant="primary" busy={grant.busy || issue.busy} onClick={() => void keepKeys()}>
          Keep keys
        </Button>
      </div>
    </Dialog>
  );
}

type Issued = Output<'issueUserDevice'>;
/** Empty: the first one of the hub. */
type Family = '' | NonNullable<Parameters<'issueUserDevice'>['endpoint_family']>;

const families: readonly { readonly value: Family; readonly text: string }[] = [
  { value: '', text: "The hub's first" },
  { value: 'ipv4', text: 'IPv4' },
  { value: 'ipv6', text: 'IPv6' },
];

interface ReissuedDialogProps {
  readonly issued: Issued;
  readonly onClose: () => void;
}

function ReissuedDialog({ issued, onClose }: ReissuedDialogProps) {
  const { name, config } = issued.user_device;
  const warning = issued.endpoint_warning ?? null;
  return (
    <Dialog title={`${name} is reissued`} onClose={onClose} wide firm>
      <Note tone="ok" icon="check" title="Current configuration">
        On the device, insert its private key where indicated. Its address, tags and keys are unchanged.
      </Note>
      {warning === null ? null : (
        <Note tone="wait" icon="alert" title="Address family">
          {warning}
        </Note>
      )}
      <CopyText text={config} label="the configuration" />
      <div className="form-foot">
        <Button variant="primary" onClick={onClose}>
          I have copied it
        </Button>
      </div>
    </Dialog>
  );
}

/** Long enough for the second of two requests. */
const issueSeconds = 60;
