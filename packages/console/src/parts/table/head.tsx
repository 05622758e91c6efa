// The head of a table: names of columns that sort when pressed.
import { Icon } from '../icon.tsx';
import type { Column, TableState } from './columns.ts';

export interface TableHeadProps {
  readonly columns: readonly Column<never>[];
  readonly state: TableState;
  readonly onSort: (columnId: string) => void;
}

export function TableHead({ columns, state, onSort }: TableHeadProps) {
  return (
    <div role="rowgroup">
      <div className="table-row table-head" role="row" aria-rowindex={1}>
        {columns.map((column) => (
          <div
            className="cell"
            key={column.id}
            role="columnheader"
            data-end={column.end === true ? '' : undefined}
            aria-sort={sortOf(column, state)}
          >
            {column.unsortable === true ? (
              <span className="sr-only">{column.header}</span>
            ) : (
              <button type="button" className="sort" onClick={() => onSort(column.id)}>
                {column.header}
                {state.sortBy === column.id ? (
                  <Icon name={state.descending ? 'arrowDown' : 'arrowUp'} />
                ) : null}
              </button>
            )}
          </div>
        ))}
      </div>
    </div>
  );
}

function sortOf(column: Column<never>, state: TableState): 'ascending' | 'descending' | 'none' | undefined {
  if (column.unsortable === true) return undefined;
  if (state.sortBy !== column.id) return 'none';
  return state.descending ? 'descending' : 'ascending';
}
