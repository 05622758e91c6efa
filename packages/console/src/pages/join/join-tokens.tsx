// The join tokens of the account, never their secrets.
import { Link } from '@tanstack/react-router';
import { ListTable } from '../../app/list-table.tsx';
import { PlannedDialog } from '../../app/planned-dialog.tsx';
import { useRevoke } from '../../app/use-revoke.tsx';
import { type Row, useRows } from '../../app/use-rows.ts';
import { oneTimeColumns } from '../../parts/one-time-columns.tsx';
import { Empty } from '../../parts/states.tsx';

type JoinToken = Row<'listJoinTokens'>;

const nameOf = (token: JoinToken) => token.name_hint ?? 'any instance';

const columns = oneTimeColumns<JoinToken>({
  nameOf,
  userOf: (t) => (t.status === 'used' ? t.instance_id : null),
  userLink: (instanceId, _, { tabIndex }) => (
    <Link to="/instances/$instanceId" params={{ instanceId }} tabIndex={tabIndex}>
      the instance
    </Link>
  ),
});

export function JoinTokens() {
  const tokens = useRows('listJoinTokens', {});
  const revoke = useRevoke('revokeJoinToken', { columns, works: 'unused' });
  return (
    <>
      <ListTable
        what="join tokens"
        list={tokens}
        columns={revoke.columns}
        empty={
          <Empty icon="key" title="No join tokens">
            Join tokens appear here once they are created.
          </Empty>
        }
      />
      {revoke.row === null ? null : (
        <PlannedDialog
          action="revokeJoinToken"
          parameters={{ join_token_id: revoke.row.id }}
          title="Revoke the join token"
          verb="Revoke token"
          onClose={revoke.close}
          onDone={() => revoke.done('The join token is revoked')}
        >
          The token for {nameOf(revoke.row)} stops working. An instance that has used it stays.
        </PlannedDialog>
      )}
    </>
  );
}
