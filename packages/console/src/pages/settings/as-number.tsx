// The AS number of the account, and the form that changes it.
import { useState } from 'react';
import type { Output } from '../../api/client.ts';
import { ChangeForm } from '../../app/change-form.tsx';
import { useMay } from '../../app/permissions.ts';
import { tell } from '../../app/toasts.ts';
import { useOne } from '../../app/use-one.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { TextField } from '../../parts/form.tsx';
import { numberOrText } from '../form-values.ts';

type AccountBgp = Output<'getAccountBgp'>['account_bgp'];

/** Only for whoever may read it. */
export function useAccountBgp(): AccountBgp | undefined {
  const may = useMay('getAccountBgp');
  return useOne('account_bgp', 'getAccountBgp', {}, { enabled: may }).data?.account_bgp;
}

export function AsNumber() {
  const found = useAccountBgp();
  const mayChange = useMay('updateAccountAsNumber');
  const [changes, setChanges] = useState(false);
  const close = () => setChanges(false);
  if (found === undefined) return <span className="muted">…</span>;
  return (
    <>
      <strong className="num">{found.as_number}</strong>
      {mayChange ? (
        <Button size="small" onClick={() => setChanges(true)}>
          Change AS number
        </Button>
      ) : null}
      {changes ? (
        <Dialog title="Change the AS number of the account" onClose={close}>
          <AsNumberForm current={found.as_number} onClose={close} />
        </Dialog>
      ) : null}
    </>
  );
}

function AsNumberForm({ current, onClose }: { readonly current: number; readonly onClose: () => void }) {
  const [text, setText] = useState(String(current));
  return (
    <ChangeForm
      action="updateAccountAsNumber"
      verb="Change AS number"
      parameters={{ as_number: numberOrText(text) }}
      onCancel={onClose}
      onDone={(answer) => {
        if (answer.kind === 'done') {
          tell({ tone: 'done', text: `AS number of the account: ${answer.body.account_bgp.as_number}` });
        }
        onClose();
      }}
    >
      {(errorOf) => (
        <TextField
          label="AS number"
          numeric
          autoFocus
          hint="Private: 64512 to 65534, or 4200000000 to 4294967294. The sessions of all networks with iBGP end, and are established again."
          value={text}
          onChange={setText}
          error={errorOf('as_number')}
        />
      )}
    </ChangeForm>
  );
}
