// Issuing a device again after the network has changed: the same keys with a configuration of today, or new keys by a
// page that is opened on it.
import type { UserDevice } from '@powernode/core/intent/user-device';
import { approvalExpiryMs } from '@powernode/core/limits/requests';
import { useState } from 'react';
import { usePolicyMode } from '../../../app/permissions.ts';
import { useChange } from '../../../app/use-change.ts';
import { Button } from '../../../parts/button.tsx';
import { CopyText } from '../../../parts/copy.tsx';
import { Dialog } from '../../../parts/dialog.tsx';
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
  const [config, setConfig] = useState<string | null>(null);
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
    const issued = await issue.run({
      network_id: network.id,
      access_grant_id: granted.body.access_grant.id,
      public_key: device.public_key,
      user_device_id: device.id,
    });
    if (issued?.kind === 'pending') onClose();
    if (issued?.kind === 'done') setConfig(issued.body.user_device.config);
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
  if (config !== null) return <ReissuedDialog name={device.name} config={config} onClose={onClose} />;
  return (
    <Dialog title={`Reissue ${device.name}`} onClose={onClose}>
      <p>
        The device keeps its address, name and tags. With the same keys, its owner replaces the configuration
        and keeps the private key. With new keys, a page opened on the device generates them, and the old key
        stops working.
      </p>
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

interface ReissuedDialogProps {
  readonly name: string;
  readonly config: string;
  readonly onClose: () => void;
}

function ReissuedDialog({ name, config, onClose }: ReissuedDialogProps) {
  return (
    <Dialog title={`${name} is reissued`} onClose={onClose} wide firm>
      <Note tone="ok" icon="check" title="Current configuration">
        On the device, insert its private key where indicated. Its address, tags and keys are unchanged.
      </Note>
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
