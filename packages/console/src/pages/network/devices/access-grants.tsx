// The access grants of a network, never their secrets.
import type { AccessGrant } from '@powernode/core/intent/user-device';
import { useMemo, useState } from 'react';
import { useMay } from '../../../app/permissions.ts';
import { PlannedDialog } from '../../../app/planned-dialog.tsx';
import { tell } from '../../../app/toasts.ts';
import { useRows } from '../../../app/use-rows.ts';
import { Button } from '../../../parts/button.tsx';
import { Empty, Loaded } from '../../../parts/states.tsx';
import { JoinTokenStatusMark } from '../../../parts/statuses.tsx';
import type { Column } from '../../../parts/table/columns.ts';
import { Table } from '../../../parts/table/table.tsx';
import { Tags } from '../../../parts/tags.tsx';
import { Ago } from '../../../parts/time.tsx';
import { ObjectLink } from '../object-link.tsx';

const columns: readonly Column<AccessGrant>[] = [
  { id: 'name', header: 'For', text: (g) => g.device_name_hint, width: [9, 1.4], card: 'title' },
  {
    id: 'status',
    header: 'Status',
    text: (g) => g.status,
    cell: (g) => <JoinTokenStatusMark status={g.status} />,
    width: [7, 0.8],
  },
  {
    id: 'made',
    header: 'Made',
    text: (g) => g.created_at,
    cell: (g) => <Ago at={g.created_at} />,
    width: [7, 0.8],
  },
  {
    id: 'expires',
    header: 'Ends',
    text: (g) => g.expires_at,
    cell: (g) => <Ago at={g.expires_at} />,
    width: [7, 0.8],
  },
  {
    id: 'device',
    header: 'Used by',
    text: (g) => g.user_device_id ?? '',
    cell: (g, { tabIndex }) =>
      g.user_device_id === null ? (
        <span className="muted">—</span>
      ) : (
        <ObjectLink
          networkId={g.network_id}
          object={{ type: 'user_device', id: g.user_device_id, name: 'the device' }}
          tabIndex={tabIndex}
        />
      ),
    width: [7, 0.8],
  },
  {
    id: 'tags',
    header: 'Tags',
    text: (g) => g.tags.join(' '),
    cell: (g) => <Tags tags={g.tags} />,
    width: [7, 1],
  },
];

export function AccessGrants({ networkId }: { readonly networkId: string }) {
  const grants = useRows('listAccessGrants', { network_id: networkId });
  const may = useMay('revokeAccessGrant');
  const [revoking, setRevoking] = useState<AccessGrant | null>(null);
  const shown = useMemo(() => (may ? [...columns, revokeColumn(setRevoking)] : columns), [may]);
  return (
    <>
      <Loaded what="access grants" data={grants.data} error={grants.error} retry={grants.retry}>
        {(rows) => (
          <Table
            what="access grants"
            columns={shown}
            rows={rows}
            rowKey={(g) => g.id}
            loading={!grants.complete}
            empty={<Empty icon="key" title="No access grants" />}
          />
        )}
      </Loaded>
      {revoking === null ? null : (
        <PlannedDialog
          action="revokeAccessGrant"
          parameters={{ access_grant_id: revoking.id }}
          title={`Revoke the grant for ${revoking.device_name_hint}`}
          verb="Revoke grant"
          onClose={() => setRevoking(null)}
          onDone={() => {
            tell({ tone: 'done', text: `The grant for ${revoking.device_name_hint} is revoked` });
            setRevoking(null);
          }}
        >
          Its page stops working. A device that has used it stays.
        </PlannedDialog>
      )}
    </>
  );
}

function revokeColumn(onRevoke: (grant: AccessGrant) => void): Column<AccessGrant> {
  return {
    id: 'actions',
    header: 'Actions',
    text: () => '',
    unsortable: true,
    width: [6, 0.5],
    cell: (grant, { tabIndex }) =>
      grant.status === 'unused' ? (
        <Button size="small" tabIndex={tabIndex} onClick={() => onRevoke(grant)}>
          Revoke
        </Button>
      ) : null,
  };
}
