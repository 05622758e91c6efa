// The access grants of a network, never their secrets.
import type { AccessGrant } from '@powernode/core/intent/user-device';
import { ListTable } from '../../../app/list-table.tsx';
import { PlannedDialog } from '../../../app/planned-dialog.tsx';
import { useRevoke } from '../../../app/use-revoke.tsx';
import { useRows } from '../../../app/use-rows.ts';
import { oneTimeColumns } from '../../../parts/one-time-columns.tsx';
import { Empty } from '../../../parts/states.tsx';
import { ObjectLink } from '../object-link.tsx';

const columns = oneTimeColumns<AccessGrant>({
  nameOf: (g) => g.device_name_hint,
  // A grant for new keys names its device before that has used it.
  userOf: (g) => (g.status === 'used' ? g.user_device_id : null),
  userLink: (id, g, { tabIndex }) => (
    <ObjectLink
      networkId={g.network_id}
      object={{ type: 'user_device', id, name: 'the device' }}
      tabIndex={tabIndex}
    />
  ),
});

export function AccessGrants({ networkId }: { readonly networkId: string }) {
  const grants = useRows('listAccessGrants', { network_id: networkId });
  const revoke = useRevoke('revokeAccessGrant', { columns, works: 'unused' });
  const grant = revoke.row;
  return (
    <>
      <ListTable
        what="access grants"
        list={grants}
        columns={revoke.columns}
        empty={<Empty icon="key" title="No access grants" />}
      />
      {grant === null ? null : (
        <PlannedDialog
          action="revokeAccessGrant"
          parameters={{ access_grant_id: grant.id }}
          title={`Revoke the access grant for ${grant.device_name_hint}`}
          verb="Revoke access grant"
          onClose={revoke.close}
          onDone={() => revoke.done(`The access grant for ${grant.device_name_hint} is revoked`)}
        >
          Its link stops working. A device that has used it stays.
        </PlannedDialog>
      )}
    </>
  );
}
