// The table of a list that the platform answers, or what stands there until it has answered.
import { Loaded } from '../parts/states.tsx';
import { Table, type TableProps } from '../parts/table/table.tsx';
import type { Rows } from './use-rows.ts';

export interface ListTableProps<R> extends Omit<TableProps<R>, 'rows' | 'rowKey' | 'loading'> {
  readonly list: Rows<R>;
}

export function ListTable<R extends { readonly id: string }>({ list, ...table }: ListTableProps<R>) {
  return (
    <Loaded what={table.what} data={list.data} error={list.error} retry={list.retry}>
      {(rows) => <Table {...table} rows={rows} rowKey={(row) => row.id} loading={!list.complete} />}
    </Loaded>
  );
}
