// The table of a list that the platform answers, or what stands there until it has answered.
import type { ReactNode } from 'react';
import { Loaded } from '../parts/states.tsx';
import { Table, type TableProps } from '../parts/table/table.tsx';
import type { Rows } from './use-rows.ts';

export interface ListTableProps<R> extends Omit<TableProps<R>, 'rows' | 'rowKey' | 'loading'> {
  readonly list: Rows<R>;
  /** Stands over the rows; where there are none, `empty` has it. */
  readonly actions?: ReactNode;
}

export function ListTable<R extends { readonly id: string }>({
  list,
  actions = null,
  ...table
}: ListTableProps<R>) {
  return (
    <Loaded what={table.what} data={list.data} error={list.error} retry={list.retry}>
      {(rows) => (
        <>
          {rows.length === 0 || actions === null ? null : <div className="actions">{actions}</div>}
          <Table {...table} rows={rows} rowKey={(row) => row.id} loading={!list.complete} />
        </>
      )}
    </Loaded>
  );
}
