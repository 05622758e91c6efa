// Revoking one row of a list: a button on each row that still works, and which row the dialog asks about now. What the
// dialog says is the page's own.
import { useMemo, useState } from 'react';
import type { ChangeAction } from '../api/client.ts';
import { Button } from '../parts/button.tsx';
import type { Column } from '../parts/table/columns.ts';
import { useMay } from './permissions.ts';
import { tell } from './toasts.ts';

export interface RevokeOptions<R extends { readonly status: string }> {
  readonly columns: readonly Column<R>[];
  /** The status of a row that still works; others have no button. */
  readonly works: R['status'];
}

export interface Revoke<R> {
  /** The columns of the page, and the button for whoever may press it. */
  readonly columns: readonly Column<R>[];
  /** The row that the dialog asks about; null: there is no dialog. */
  readonly row: R | null;
  close(): void;
  /** Closes the dialog, and says what was done. */
  done(text: string): void;
}

export function useRevoke<R extends { readonly status: string }>(
  action: ChangeAction,
  { columns, works }: RevokeOptions<R>,
): Revoke<R> {
  const may = useMay(action);
  const [row, setRow] = useState<R | null>(null);
  const shown = useMemo(
    () => (may ? [...columns, revokeColumn(works, setRow)] : columns),
    [may, columns, works],
  );
  return {
    columns: shown,
    row,
    close: () => setRow(null),
    done(text) {
      setRow(null);
      tell({ tone: 'done', text });
    },
  };
}

function revokeColumn<R extends { readonly status: string }>(
  works: R['status'],
  onRevoke: (row: R) => void,
): Column<R> {
  return {
    id: 'actions',
    header: 'Actions',
    text: () => '',
    unsortable: true,
    width: [6, 0.5],
    cell: (row, { tabIndex }) =>
      row.status === works ? (
        <Button size="small" tabIndex={tabIndex} onClick={() => onRevoke(row)}>
          Revoke
        </Button>
      ) : null,
  };
}
