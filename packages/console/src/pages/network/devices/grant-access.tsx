// Granting access to a device, or new keys to one that is there: whose, for how long; then the page's address, this once, also as a QR code.
import type { UserDevice } from '@powernode/core/intent/user-device';
import { useState } from 'react';
import type { Output } from '../../../api/client.ts';
import { ChangeForm } from '../../../app/change-form.tsx';
import { useRows } from '../../../app/use-rows.ts';
import { Button } from '../../../parts/button.tsx';
import { CopyBlock } from '../../../parts/copy.tsx';
import { Dialog } from '../../../parts/dialog.tsx';
import { SelectField, TagsField, TextField } from '../../../parts/form.tsx';
import { QrCode } from '../../../parts/qr.tsx';
import { Note } from '../../../parts/states.tsx';
import { Status } from '../../../parts/status.tsx';
import { Ago } from '../../../parts/time.tsx';
import { ObjectLink } from '../object-link.tsx';
import type { ViewProps } from '../view.ts';

type Grant = Output<'createAccessGrant'>['access_grant'];

const lifetimes = [
  { value: '900', text: '15 minutes' },
  { value: '3600', text: '1 hour' },
  { value: '86400', text: '1 day' },
  { value: '604800', text: '1 week' },
] as const;

export interface GrantDialogProps extends ViewProps {
  readonly title: string;
  /** The device that gets new keys; absent: another device is let in. */
  readonly device?: Pick<UserDevice, 'id' | 'name'>;
  readonly onClose: () => void;
}

export function GrantDialog(props: GrantDialogProps) {
  const [grant, setGrant] = useState<Grant | null>(null);
  return (
    <Dialog title={props.title} onClose={props.onClose} firm={grant !== null}>
      {grant === null ? (
        <GrantForm {...props} onGranted={setGrant} />
      ) : (
        <Granted grant={grant} onClose={props.onClose} />
      )}
    </Dialog>
  );
}

type GrantFormProps = GrantDialogProps & { readonly onGranted: (grant: Grant) => void };

function GrantForm({ network, device, onClose, onGranted }: GrantFormProps) {
  const [name, setName] = useState(device?.name ?? '');
  const [tags, setTags] = useState<readonly string[]>([]);
  const [lifetime, setLifetime] = useState<(typeof lifetimes)[number]['value']>('900');
  return (
    <ChangeForm
      action="createAccessGrant"
      verb="Create access grant"
      parameters={{
        network_id: network.id,
        device_name_hint: name,
        expires_in_seconds: Number(lifetime),
        ...(device === undefined ? {} : { user_device_id: device.id }),
        ...(tags.length === 0 ? {} : { tags: [...tags] }),
      }}
      onCancel={onClose}
      onDone={(answer) => (answer.kind === 'done' ? onGranted(answer.body.access_grant) : onClose())}
    >
      {(errorOf) => (
        <>
          {device === undefined ? (
            <TextField
              label="Device name"
              autoFocus
              placeholder="Ada’s phone"
              value={name}
              onChange={setName}
              error={errorOf('device_name_hint')}
            />
          ) : null}
          <SelectField
            label="Valid for"
            hint="The link works once, until it expires."
            value={lifetime}
            onChange={setLifetime}
            choices={lifetimes}
            error={errorOf('expires_in_seconds')}
          />
          {device === undefined ? (
            <TagsField
              label="Tags"
              optional
              hint="Firewall rules can select devices by tag."
              tags={tags}
              onChange={setTags}
              error={errorOf('tags')}
            />
          ) : null}
        </>
      )}
    </ChangeForm>
  );
}

function Granted({ grant, onClose }: { readonly grant: Grant; readonly onClose: () => void }) {
  // The event of the device has this list read again; reading it now and then covers a lost one.
  const grants = useRows('listAccessGrants', { network_id: grant.network_id }, { busy: () => true });
  const now = grants.rows.find((row) => row.id === grant.id);
  return (
    <div className="stack">
      <Note tone="wait" icon="key" title="Shown only once">
        The first device that opens this link joins the network as {grant.device_name_hint}. It expires{' '}
        <Ago at={grant.expires_at} />.
      </Note>
      {grant.bootstrap_warning === null ? null : (
        <Note tone="bad" icon="alert" title="Only reachable from localhost">
          {grant.bootstrap_warning}
        </Note>
      )}
      <CopyBlock text={grant.bootstrap_url} label="the bootstrap URL" />
      <QrCode
        text={grant.bootstrap_url}
        label={`QR code of the bootstrap URL for ${grant.device_name_hint}`}
      />
      <p className="hint">
        The page generates the keys on the device; the private key never leaves it. The secret is after the #
        of the URL, which browsers do not send.
      </p>
      <div role="status">
        {now?.status === 'used' && now.user_device_id !== null ? (
          <span className="row">
            <Status tone="ok" shape="tick" text="It was used by" />
            <ObjectLink
              networkId={grant.network_id}
              object={{ type: 'user_device', id: now.user_device_id, name: grant.device_name_hint }}
              onFollow={onClose}
            />
          </span>
        ) : (
          <Status
            {...(now?.status === 'expired' || now?.status === 'revoked'
              ? { tone: 'idle', shape: 'cross', text: `The grant is ${now.status}; create another` }
              : { tone: 'info', shape: 'half', text: 'Waiting for the device…', moving: true })}
          />
        )}
      </div>
      <div className="form-foot">
        <Button variant="primary" onClick={onClose}>
          I have copied it
        </Button>
      </div>
    </div>
  );
}
