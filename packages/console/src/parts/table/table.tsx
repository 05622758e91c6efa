// The table of the console: filter, sort, choice of columns, keyboard; cards on narrow screens. Long lists draw only
// the rows in view. It knows nothing of where rows come from.
import { consoleRowsDrawnMax } from '@powernode/core/limits/console';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useDeferredValue, useMemo, useRef, useState } from 'react';
import { Empty } from '../states.tsx';
import {
  type Column,
  type Facet,
  filterRows,
  freshTable,
  gridOf,
  pressSort,
  sortRows,
  type TableState,
} from './columns.ts';
import { TableHead } from './head.tsx';
import { TableRow } from './row.tsx';
import { TableTools } from './tools.tsx';
import { useRowKeys } from './use-row-keys.ts';

export interface TableProps<Row> {
  /** What the rows are, for screen readers and for the count: "peers". */
  readonly what: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly facets?: readonly Facet<Row>[];
  readonly onOpen?: (row: Row) => void;
  /** What a row opens, for screen readers. */
  readonly selectedKey?: string | null;
  /** More pages are on their way. */
  readonly loading?: boolean;
  /** Instead of a table, when there are no rows at all. */
  readonly empty: ReactNode;
  /** How the table is filtered and sorted at first. */
  readonly start?: Partial<TableState>;
  readonly tools?: ReactNode;
}

/** Short lists are read at a glance: a filter above three rows is only noise. */
const filterFrom = 6;
/** Heights of a row and of a card in pixels until they are measured. */
const rowHeight = 37;

// oxlint-disable-next-line max-lines-per-function -- its state and its keys belong to one element
export function Table<Row>(props: TableProps<Row>) {
  const { columns, rows, facets = [], rowKey } = props;
  const [state, setState] = useState<TableState>({ ...freshTable, ...props.start });
  const [chosen, setChosen] = useState(
    () => new Set(columns.filter((c) => c.extra !== true).map((c) => c.id)),
  );
  const asked = useDeferredValue(state);
  const shownColumns = useMemo(() => columns.filter((column) => chosen.has(column.id)), [columns, chosen]);
  const shown = useMemo(
    () => sortRows(filterRows(rows, { columns, facets, state: asked }), { columns, state: asked }),
    [rows, columns, facets, asked],
  );
  const scroller = useRef<HTMLDivElement>(null);
  const long = rows.length > consoleRowsDrawnMax;
  const virtualizer = useVirtualizer({
    count: shown.length,
    enabled: long,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => rowKey(shown[index] as Row),
    overscan: 8,
    scrollPaddingStart: rowHeight,
  });
  const keys = useRowKeys({
    rows: shown,
    scroller,
    scrollTo: (index) => (long ? virtualizer.scrollToIndex(index) : undefined),
    open: props.onOpen,
  });
  if (rows.length === 0 && props.loading !== true) return props.empty;

  const grid = gridOf(shownColumns);
  const items = long
    ? virtualizer.getVirtualItems().map(({ index, start }) => ({ index, start }))
    : shown.map((_, index) => ({ index, start: null }));
  return (
    <div className="table-frame" data-long={long ? '' : undefined}>
      {rows.length < filterFrom && state.filter === '' ? null : (
        <TableTools
          {...{ what: props.what, rows, shown, facets, state, setState, columns, chosen, setChosen }}
          loading={props.loading === true}
          extra={props.tools}
        />
      )}
      {shown.length === 0 ? (
        <Empty icon="filter" title={`No ${props.what} match the filter`}>
          There are {rows.length.toLocaleString('en-US')} without it.
        </Empty>
      ) : (
        <div className="table-scroll" ref={scroller}>
          {/* biome-ignore lint/a11y/useSemanticElements: rows are drawn out of flow, which a table element forbids */}
          <div
            className="table"
            role="grid"
            aria-label={props.what}
            aria-rowcount={shown.length + 1}
            aria-colcount={shownColumns.length}
            aria-busy={props.loading === true}
            style={{ '--columns': grid.template, '--table-width': grid.width } as React.CSSProperties}
            onKeyDown={keys.onKeyDown}
          >
            <TableHead columns={shownColumns} state={state} onSort={(id) => setState(pressSort(state, id))} />
            <div
              className="table-rows"
              role="rowgroup"
              style={long ? { height: virtualizer.getTotalSize() } : undefined}
            >
              {items.map(({ index, start }) => {
                const row = shown[index];
                if (row === undefined) return null;
                return (
                  <TableRow
                    key={rowKey(row)}
                    row={row}
                    index={index}
                    start={start}
                    measure={long ? virtualizer.measureElement : undefined}
                    columns={shownColumns}
                    current={index === keys.current}
                    selected={props.selectedKey === rowKey(row)}
                    onFocus={keys.onFocus}
                    onOpen={props.onOpen}
                  />
                );
              })}
            </div>
          </div>
        </div>
      )}
    </div>
  );
}
