// The API tokens of the account, never their secrets.
import { useMemo } from 'react';
import { ListTable } from '../../app/list-table.tsx';
import { useMay } from '../../app/permissions.ts';
import { PlannedDialog } from '../../app/planned-dialog.tsx';
import { useOpener } from '../../app/use-opener.tsx';
import { useRevoke } from '../../app/use-revoke.tsx';
import { type Row, useRows } from '../../app/use-rows.ts';
import { count } from '../../parts/format.ts';
import { Empty } from '../../parts/states.tsx';
import { ApiTokenStatusMark } from '../../parts/statuses.tsx';
import type { Column } from '../../parts/table/columns.ts';
import { Ago } from '../../parts/time.tsx';
import { NewApiToken } from './api-token-form.tsx';

type ApiToken = Row<'listApiTokens'>;

function columnsWith(ownerName: (operatorId: string) => string): readonly Column<ApiToken>[] {
  return [
    { id: 'name', header: 'Name', text: (t) => t.name, width: [9, 1.6], card: 'title' },
    { id: 'owner', header: 'Operator', text: (t) => ownerName(t.operator_id), width: [8, 1] },
    {
      id: 'status',
      header: 'Status',
      text: (t) => t.status,
      cell: (t) => <ApiTokenStatusMark status={t.status} />,
      width: [7, 0.8],
    },
    {
      id: 'permissions',
      header: 'Permissions',
      text: (t) =>
        `${t.permissions === null ? 'all of its operator’s' : count(t.permissions.length, 'permission')}${t.for_model ? ', for a model' : ''}`,
      width: [9, 1],
    },
    {
      id: 'used',
      header: 'Last used',
      text: (t) => t.last_used_at ?? '',
      sort: (t) => t.last_used_at,
      cell: (t) => <Ago at={t.last_used_at} />,
      width: [7, 0.8],
    },
    {
      id: 'expires',
      header: 'Expires',
      text: (t) => t.expires_at ?? 'never',
      sort: (t) => t.expires_at,
      cell: (t) => <Ago at={t.expires_at} />,
      width: [7, 0.8],
    },
  ];
}

export function ApiTokens() {
  const tokens = useRows('listApiTokens', {});
  const operators = useRows('listOperators', {}, { enabled: useMay('listOperators') });
  const create = useOpener('createApiToken', {
    text: 'New API token',
    icon: 'key',
    opens: (close) => <NewApiToken operators={operators.rows} onClose={close} />,
  });
  const columns = useMemo(() => {
    const names = new Map(operators.rows.map((operator) => [operator.id, operator.name]));
    return columnsWith((id) => names.get(id) ?? id);
  }, [operators.rows]);
  const revoke = useRevoke('revokeApiToken', { columns, works: 'active' });
  const token = revoke.row;
  return (
    <>
      {create.button === null ? null : <div className="actions">{create.button}</div>}
      <ListTable
        what="API tokens"
        list={tokens}
        columns={revoke.columns}
        empty={<Empty icon="key" title="No API tokens" />}
      />
      {create.opened}
      {token === null ? null : (
        <PlannedDialog
          action="revokeApiToken"
          parameters={{ api_token_id: token.id }}
          title={`Revoke ${token.name}`}
          verb="Revoke token"
          onClose={revoke.close}
          onDone={() => revoke.done(`${token.name} is revoked`)}
        >
          It stops working at once, and its open event streams end.
        </PlannedDialog>
      )}
    </>
  );
}
