// The matrix of who reaches whom. Only what is in view is drawn; arrows move from cell to cell, Enter explains one.
import { useVirtualizer, type VirtualItem } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { pairLooks } from '../../../parts/service-statuses.tsx';
import { StatusShape } from '../../../parts/status.tsx';
import type { Cell, MatrixNode, MatrixRow } from './matrix.ts';
import './matrix.css';

export interface MatrixViewProps {
  readonly columns: readonly MatrixNode[];
  readonly rows: readonly MatrixRow[];
  /** The pair that is being explained. */
  readonly chosen: { readonly from: string; readonly to: string } | null;
  readonly onExplain: (from: MatrixNode, to: MatrixNode) => void;
}

/** In pixels; the style sheet has the same. */
const cellSize = 30;
const headHeight = 116;
const namesWidth = 140;
const pageCells = 10;
const kindTags: Readonly<Record<MatrixNode['kind'], string>> = {
  peer: '',
  user_device: 'device',
  virtual_ip: 'virtual IP',
  subnet_advertisement: 'behind a peer',
};

interface Place {
  readonly row: number;
  readonly column: number;
}

export function MatrixView({ columns, rows, chosen, onExplain }: MatrixViewProps) {
  const size = { row: rows.length, column: columns.length };
  const { scroller, down, across, at, setCurrent, onKeyDown } = useGrid(size, explain);

  function explain({ row, column }: Place): void {
    const [from, to] = [rows[row], columns[column]];
    if (from !== undefined && to !== undefined && from.node.id !== to.id) onExplain(from.node, to);
  }

  return (
    <div className="matrix-scroll" ref={scroller}>
      {/* biome-ignore lint/a11y/useSemanticElements: cells are drawn out of flow, which a table element forbids */}
      <div
        className="matrix"
        role="grid"
        aria-label="Reachability: rows are sources, columns are destinations"
        aria-rowcount={rows.length + 1}
        aria-colcount={columns.length + 1}
        style={
          {
            '--across': `${across.getTotalSize()}px`,
            '--down': `${down.getTotalSize()}px`,
          } as React.CSSProperties
        }
        onKeyDown={onKeyDown}
      >
        <MatrixHead columns={columns} items={across.getVirtualItems()} />
        {down.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          if (row === undefined) return null;
          return (
            <div
              key={row.node.id}
              className="matrix-row"
              role="row"
              aria-rowindex={index + 2}
              style={{ '--top': `${start}px` } as React.CSSProperties}
            >
              <div className="matrix-from" role="rowheader" aria-colindex={1} title={titleOf(row.node)}>
                {row.node.name}
              </div>
              {across.getVirtualItems().map((item) => {
                const to = columns[item.index];
                if (to === undefined) return null;
                const place = { row: index, column: item.index };
                return (
                  <MatrixCell
                    key={to.id}
                    from={row.node}
                    to={to}
                    cell={row.cells[item.index] ?? null}
                    place={place}
                    left={item.start}
                    current={at.row === index && at.column === item.index}
                    chosen={chosen?.from === row.node.id && chosen.to === to.id}
                    onFocus={() => setCurrent(place)}
                    onExplain={() => explain(place)}
                  />
                );
              })}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** The grid's scrolling, and the cell that has the keys. */
function useGrid(size: Place, explain: (place: Place) => void) {
  const scroller = useRef<HTMLDivElement>(null);
  const common = { getScrollElement: () => scroller.current, estimateSize: () => cellSize, overscan: 6 };
  const down = useVirtualizer({
    ...common,
    count: size.row,
    scrollMargin: headHeight,
    scrollPaddingStart: headHeight,
  });
  const across = useVirtualizer({
    ...common,
    count: size.column,
    horizontal: true,
    scrollMargin: namesWidth,
    scrollPaddingStart: namesWidth,
  });
  const [wished, setWished] = useState<Place>({ row: 0, column: 1 });
  const moved = useRef(false);
  const at: Place = {
    row: Math.min(wished.row, Math.max(0, size.row - 1)),
    column: Math.min(wished.column, Math.max(0, size.column - 1)),
  };

  // A cell far away is drawn only after the scroll; it gets the focus as soon as it is there.
  useEffect(() => {
    if (!moved.current) return;
    const cell = scroller.current?.querySelector<HTMLElement>(`[data-cell="${at.row} ${at.column}"]`);
    if (cell === null || cell === undefined) return;
    moved.current = false;
    cell.focus({ preventScroll: true });
  });

  function go({ row, column }: Place): void {
    const next = {
      row: Math.max(0, Math.min(size.row - 1, row)),
      column: Math.max(0, Math.min(size.column - 1, column)),
    };
    moved.current = true;
    down.scrollToIndex(next.row);
    across.scrollToIndex(next.column);
    setWished(next);
  }

  function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
    if (event.altKey || event.metaKey) return;
    const next = leadsTo(event, at, size);
    if (next !== null) go(next);
    else if (event.key === 'Enter' || event.key === ' ') explain(at);
    else return;
    event.preventDefault();
  }

  return { scroller, down, across, at, setCurrent: setWished, onKeyDown };
}

/** Where a key leads from a cell of so many rows and columns; null: it is no key of the grid. */
function leadsTo(event: KeyboardEvent<HTMLElement>, { row, column }: Place, size: Place): Place | null {
  const [first, last] = event.ctrlKey ? [0, size.row - 1] : [row, row];
  const moves: Readonly<Record<string, readonly [row: number, column: number]>> = {
    ArrowDown: [row + 1, column],
    ArrowUp: [row - 1, column],
    ArrowRight: [row, column + 1],
    ArrowLeft: [row, column - 1],
    PageDown: [row + pageCells, column],
    PageUp: [row - pageCells, column],
    Home: [first, 0],
    End: [last, size.column - 1],
  };
  const move = moves[event.key];
  return move === undefined ? null : { row: move[0], column: move[1] };
}

function MatrixHead({
  columns,
  items,
}: {
  readonly columns: readonly MatrixNode[];
  readonly items: readonly VirtualItem[];
}) {
  return (
    <div className="matrix-head" role="row" aria-rowindex={1}>
      <div className="matrix-corner" role="columnheader" aria-colindex={1}>
        from ↓ to →
      </div>
      {items.map(({ index, start }) => {
        const node = columns[index];
        if (node === undefined) return null;
        return (
          <div
            key={node.id}
            className="matrix-to"
            role="columnheader"
            aria-colindex={index + 2}
            title={titleOf(node)}
            style={{ '--left': `${start}px` } as React.CSSProperties}
          >
            <span>{node.name}</span>
          </div>
        );
      })}
    </div>
  );
}

function titleOf({ kind, name }: MatrixNode): string {
  return kindTags[kind] === '' ? name : `${name} (${kindTags[kind]})`;
}

interface MatrixCellProps {
  readonly from: MatrixNode;
  readonly to: MatrixNode;
  readonly cell: Cell;
  readonly place: Place;
  readonly left: number;
  readonly current: boolean;
  readonly chosen: boolean;
  readonly onFocus: () => void;
  readonly onExplain: () => void;
}

function MatrixCell({ from, to, cell, place, left, current, chosen, onFocus, onExplain }: MatrixCellProps) {
  const look = cell === null ? null : pairLooks[cell];
  const words = look === null ? 'itself' : `${from.name} to ${to.name}: ${look.text}`;
  return (
    <div
      className="matrix-cell"
      role="gridcell"
      aria-colindex={place.column + 2}
      aria-label={words}
      aria-selected={chosen ? true : undefined}
      title={words}
      data-cell={`${place.row} ${place.column}`}
      data-tone={look?.tone}
      tabIndex={current ? 0 : -1}
      style={{ '--left': `${left}px` } as React.CSSProperties}
      onFocus={onFocus}
      onClick={onExplain}
    >
      {look === null ? <span aria-hidden="true">·</span> : <StatusShape shape={look.shape} />}
    </div>
  );
}
