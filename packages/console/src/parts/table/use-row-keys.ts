// Moving through the rows of a table by keyboard. One row is in the order of Tab; arrows move which one that is.
import { type KeyboardEvent, type RefObject, useCallback, useEffect, useRef, useState } from 'react';

export interface RowKeysParts<Row> {
  readonly rows: readonly Row[];
  readonly scroller: RefObject<HTMLElement | null>;
  readonly scrollTo: (index: number) => void;
  readonly open: ((row: Row) => void) | undefined;
}

const pageRows = 12;

export function useRowKeys<Row>({ rows, scroller, scrollTo, open }: RowKeysParts<Row>) {
  const [current, setCurrent] = useState(0);
  const wanted = useRef<number | null>(null);

  // A row far away is drawn only after the scroll; it gets the focus as soon as it is there.
  useEffect(() => {
    if (wanted.current === null) return;
    const row = scroller.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"]`);
    if (row === null || row === undefined) return;
    wanted.current = null;
    row.focus();
  });

  function goTo(index: number): void {
    const next = Math.max(0, Math.min(rows.length - 1, index));
    wanted.current = next;
    scrollTo(next);
    setCurrent(next);
  }

  function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const onRow = event.target instanceof HTMLElement && event.target.getAttribute('role') === 'row';
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: current + 1,
      ArrowUp: current - 1,
      PageDown: current + pageRows,
      PageUp: current - pageRows,
      Home: 0,
      End: rows.length - 1,
    };
    const target = moves[event.key];
    if (target !== undefined && onRow) {
      event.preventDefault();
      goTo(target);
      return;
    }
    const row = rows[current];
    if (event.key !== 'Enter' || !onRow || open === undefined || row === undefined) return;
    event.preventDefault();
    open(row);
  }

  const onFocus = useCallback((index: number) => setCurrent(index), []);
  return { current: Math.min(current, Math.max(0, rows.length - 1)), onKeyDown, onFocus };
}
