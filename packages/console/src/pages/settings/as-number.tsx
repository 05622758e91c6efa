// The AS number of the account, and the form that changes it.
import { useState } from 'react';
import type { Output } from '../../api/client.ts';
import { EditForm } from '../../app/edit-form.tsx';
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
          <AsNumberForm current={found} onClose={close} />
        </Dialog>
      ) : null}
    </>
  );
}

function AsNumberForm({ current, onClose }: { readonly current: AccountBgp; readonly onClose: () => void }) {
  return (
    <EditForm
      action="updateAccountAsNumber"
      object={current}
      named={{}}
      valuesOf={({ as_number }) => ({ text: String(as_number) })}
      parametersOf={({ text }) => ({ as_number: numberOrText(text) })}
      onCancel={onClose}
      onDone={(answer) => {
        if (answer.kind === 'done') {
          tell({ tone: 'done', text: `AS number of the account: ${answer.body.account_bgp.as_number}` });
        }
        onClose();
      }}
    >
      {({ values, set, errorOf }) => (
        <TextField
          label="AS number"
          numeric
          autoFocus
          hint="Private: 64512 to 65534, or 4200000000 to 4294967294. The sessions of all networks with iBGP end, and are established again."
          value={values.text}
          onChange={(text) => set({ text })}
          error={errorOf('as_number')}
        />
      )}
    </EditForm>
  );
}
