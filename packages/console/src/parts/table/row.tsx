// One row of a table. Drawn again only when its data, its columns or its place change.
import { type CSSProperties, memo } from 'react';
import type { Column } from './columns.ts';

export interface TableRowProps<Row> {
  readonly row: Row;
  readonly index: number;
  /** Distance from the top in pixels when only rows in view are drawn; null: it stands in the flow. */
  readonly start: number | null;
  readonly measure: ((element: HTMLElement | null) => void) | undefined;
  readonly columns: readonly Column<Row>[];
  /** The one row that Tab reaches. */
  readonly current: boolean;
  readonly selected: boolean;
  readonly onFocus: (index: number) => void;
  readonly onOpen: ((row: Row) => void) | undefined;
}

function PlainRow<Row>(props: TableRowProps<Row>) {
  const { row, index, start, columns, onOpen } = props;
  const tabIndex = props.current ? 0 : -1;
  const style: CSSProperties | undefined =
    start === null ? undefined : { transform: `translateY(${start}px)` };
  return (
    <div
      className="table-row"
      role="row"
      ref={props.measure}
      data-index={index}
      data-opens={onOpen === undefined ? undefined : ''}
      aria-rowindex={index + 2}
      aria-selected={props.selected ? true : undefined}
      tabIndex={tabIndex}
      style={style}
      onFocus={() => props.onFocus(index)}
      onClick={(event) => {
        if (onOpen !== undefined && !isOwnControl(event.target)) onOpen(row);
      }}
    >
      {columns.map((column) => (
        <div
          className="cell"
          key={column.id}
          role="gridcell"
          data-label={column.header}
          data-end={column.end === true ? '' : undefined}
          data-mono={column.mono === true ? '' : undefined}
          data-title={column.card === 'title' ? '' : undefined}
          data-wide={column.card === 'wide' ? '' : undefined}
          data-actions={column.id === 'actions' ? '' : undefined}
          data-card={column.card}
        >
          {column.cell === undefined ? column.text(row) : column.cell(row, { tabIndex })}
        </div>
      ))}
    </div>
  );
}

/** A press on a link or a button inside of a row is meant for it. */
function isOwnControl(target: EventTarget): boolean {
  return target instanceof Element && target.closest('a, button, input, select') !== null;
}

export const TableRow = memo(PlainRow) as typeof PlainRow;
