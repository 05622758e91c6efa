// The join tokens of the account, never their secrets.
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useMay } from '../../app/permissions.ts';
import { PlannedDialog } from '../../app/planned-dialog.tsx';
import { tell } from '../../app/toasts.ts';
import { type Row, useRows } from '../../app/use-rows.ts';
import { Button } from '../../parts/button.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { JoinTokenStatusMark } from '../../parts/statuses.tsx';
import type { Column } from '../../parts/table/columns.ts';
import { Table } from '../../parts/table/table.tsx';
import { Tags } from '../../parts/tags.tsx';
import { Ago } from '../../parts/time.tsx';

type JoinToken = Row<'listJoinTokens'>;

const columns: readonly Column<JoinToken>[] = [
  { id: 'name', header: 'For', text: (t) => t.name_hint ?? 'any machine', width: [9, 1.4], card: 'title' },
  {
    id: 'status',
    header: 'Status',
    text: (t) => t.status,
    cell: (t) => <JoinTokenStatusMark status={t.status} />,
    width: [7, 0.8],
  },
  {
    id: 'made',
    header: 'Made',
    text: (t) => t.created_at,
    cell: (t) => <Ago at={t.created_at} />,
    width: [7, 0.8],
  },
  {
    id: 'expires',
    header: 'Ends',
    text: (t) => t.expires_at,
    cell: (t) => <Ago at={t.expires_at} />,
    width: [7, 0.8],
  },
  {
    id: 'machine',
    header: 'Used by',
    text: (t) => t.instance_id ?? '',
    cell: (t, { tabIndex }) =>
      t.instance_id === null ? (
        <span className="muted">—</span>
      ) : (
        <Link to="/instances/$instanceId" params={{ instanceId: t.instance_id }} tabIndex={tabIndex}>
          the machine
        </Link>
      ),
    width: [7, 0.8],
  },
  {
    id: 'tags',
    header: 'Tags',
    text: (t) => t.tags.join(' '),
    cell: (t) => <Tags tags={t.tags} />,
    width: [7, 1],
  },
];

export function JoinTokens() {
  const tokens = useRows('listJoinTokens', {});
  const may = useMay('revokeJoinToken');
  const [revoking, setRevoking] = useState<JoinToken | null>(null);
  const shown = useMemo(() => (may ? [...columns, revokeColumn(setRevoking)] : columns), [may]);
  return (
    <>
      <Loaded what="join tokens" data={tokens.data} error={tokens.error} retry={tokens.retry}>
        {(rows) => (
          <Table
            what="join tokens"
            columns={shown}
            rows={rows}
            rowKey={(t) => t.id}
            loading={!tokens.complete}
            empty={
              <Empty icon="key" title="No join tokens">
                They appear here when somebody makes one.
              </Empty>
            }
          />
        )}
      </Loaded>
      {revoking === null ? null : (
        <PlannedDialog
          action="revokeJoinToken"
          parameters={{ join_token_id: revoking.id }}
          title="Revoke the join token"
          verb="Revoke token"
          onClose={() => setRevoking(null)}
          onDone={() => {
            setRevoking(null);
            tell({ tone: 'done', text: 'The join token is revoked' });
          }}
        >
          The token for {revoking.name_hint ?? 'any machine'} stops working. A machine that has used it stays.
        </PlannedDialog>
      )}
    </>
  );
}

function revokeColumn(onRevoke: (token: JoinToken) => void): Column<JoinToken> {
  return {
    id: 'actions',
    header: 'Actions',
    text: () => '',
    unsortable: true,
    width: [6, 0.5],
    cell: (token, { tabIndex }) =>
      token.status === 'unused' ? (
        <Button size="small" tabIndex={tabIndex} onClick={() => onRevoke(token)}>
          Revoke
        </Button>
      ) : null,
  };
}
