// The columns of what lets somebody in once: the join tokens of machines, the access grants of devices.
import type { AccessGrant } from '@powernode/core/intent/user-device';
import type { ReactNode } from 'react';
import { JoinTokenStatusMark } from './statuses.tsx';
import type { CellContext, Column } from './table/columns.ts';
import { Tags } from './tags.tsx';
import { Ago } from './time.tsx';

type OneTime = Pick<AccessGrant, 'status' | 'created_at' | 'expires_at' | 'tags'>;

export interface OneTimeOf<Row> {
  /** For whom it was made. */
  readonly nameOf: (row: Row) => string;
  /** The identifier of whoever has used it; null: nobody has. */
  readonly userOf: (row: Row) => string | null;
  readonly userLink: (userId: string, row: Row, context: CellContext) => ReactNode;
}

export function oneTimeColumns<Row extends OneTime>(of: OneTimeOf<Row>): readonly Column<Row>[] {
  return [
    { id: 'name', header: 'For', text: of.nameOf, width: [9, 1.4], card: 'title' },
    {
      id: 'status',
      header: 'Status',
      text: (row) => row.status,
      cell: (row) => <JoinTokenStatusMark status={row.status} />,
      width: [7, 0.8],
    },
    {
      id: 'made',
      header: 'Created',
      text: (row) => row.created_at,
      cell: (row) => <Ago at={row.created_at} />,
      width: [7, 0.8],
    },
    {
      id: 'expires',
      header: 'Expires',
      text: (row) => row.expires_at,
      cell: (row) => <Ago at={row.expires_at} />,
      width: [7, 0.8],
    },
    {
      id: 'user',
      header: 'Used by',
      text: (row) => of.userOf(row) ?? '',
      cell: (row, context) => {
        const userId = of.userOf(row);
        return userId === null ? <span className="muted">—</span> : of.userLink(userId, row, context);
      },
      width: [7, 0.8],
    },
    {
      id: 'tags',
      header: 'Tags',
      text: (row) => row.tags.join(' '),
      cell: (row) => <Tags tags={row.tags} />,
      width: [7, 1],
    },
  ];
}
