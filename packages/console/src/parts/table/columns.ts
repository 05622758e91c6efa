// What a table knows of its columns, and what can be done with rows by it: filter, sort. No elements here.
import type { ReactNode } from 'react';

export interface CellContext {
  /** Of what one can reach by Tab inside of the cell: only the row that has the focus lets one in. */
  readonly tabIndex: 0 | -1;
}

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  /** What the filter looks at and what is sorted by, unless `sort` says otherwise. */
  readonly text: (row: Row) => string;
  readonly cell?: (row: Row, context: CellContext) => ReactNode;
  /** Null is last, whichever way it is sorted. */
  readonly sort?: (row: Row) => number | string | null;
  /** Smallest width in rem, and the share of what is left. */
  readonly width: readonly [min: number, grow: number];
  readonly end?: boolean;
  readonly mono?: boolean;
  /** On a narrow screen a row is a card; the title stands above, wide ones take the whole line. */
  readonly card?: 'title' | 'wide' | 'hide';
  /** Shown only when chosen. */
  readonly extra?: boolean;
  readonly unsortable?: boolean;
}

/** A choice among the values of one property, beside the filter. */
export interface Facet<Row> {
  readonly id: string;
  /** What is shown while nothing is chosen: "Any status". */
  readonly any: string;
  readonly of: (row: Row) => string;
  /** The choices; absent: all values that there are. */
  readonly choices?: readonly { readonly value: string; readonly text: string }[];
}

export interface TableState {
  readonly filter: string;
  readonly facets: Readonly<Record<string, string>>;
  readonly sortBy: string | null;
  readonly descending: boolean;
}

export const freshTable: TableState = { filter: '', facets: {}, sortBy: null, descending: false };

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** Every word of the filter has to be found in some column, wherever. */
export function filterRows<Row>(
  rows: readonly Row[],
  by: {
    readonly columns: readonly Column<Row>[];
    readonly facets: readonly Facet<Row>[];
    readonly state: TableState;
  },
): readonly Row[] {
  const words = by.state.filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const chosen = by.facets.flatMap((facet) => {
    const value = by.state.facets[facet.id] ?? '';
    return value === '' ? [] : [{ of: facet.of, value }];
  });
  if (words.length === 0 && chosen.length === 0) return rows;
  return rows.filter((row) => {
    if (!chosen.every(({ of, value }) => of(row) === value)) return false;
    if (words.length === 0) return true;
    const text = by.columns
      .map((column) => column.text(row))
      .join('\n')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export function sortRows<Row>(
  rows: readonly Row[],
  by: { readonly columns: readonly Column<Row>[]; readonly state: TableState },
): readonly Row[] {
  const column = by.columns.find(({ id }) => id === by.state.sortBy);
  if (column === undefined) return rows;
  const valueOf = column.sort ?? column.text;
  const sign = by.state.descending ? -1 : 1;
  const keyed = rows.map((row) => ({ row, value: valueOf(row) }));
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
    return sign * compare(a.value, b.value);
  });
  return keyed.map(({ row }) => row);
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return collator.compare(String(a), String(b));
}

/** A press on a header: up, down, and back to the order of the list. */
export function pressSort(state: TableState, columnId: string): TableState {
  if (state.sortBy !== columnId) return { ...state, sortBy: columnId, descending: false };
  if (!state.descending) return { ...state, descending: true };
  return { ...state, sortBy: null, descending: false };
}

/** The choices of a facet with how many rows each would leave, the most first. */
export function facetChoices<Row>(
  rows: readonly Row[],
  facet: Facet<Row>,
): readonly { readonly value: string; readonly text: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const value = facet.of(row);
    if (value !== '') counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  if (facet.choices !== undefined) {
    return facet.choices.map((choice) => ({ ...choice, count: counts.get(choice.value) ?? 0 }));
  }
  return [...counts]
    .map(([value, n]) => ({ value, text: value, count: n }))
    .sort((a, b) => b.count - a.count || collator.compare(a.value, b.value));
}

export function gridOf(columns: readonly Column<never>[]): {
  readonly template: string;
  readonly width: string;
} {
  const template = columns.map(({ width: [min, grow] }) => `minmax(${min}rem, ${grow}fr)`).join(' ');
  const width = columns.reduce((sum, column) => sum + column.width[0], 0);
  return { template, width: `${width + 1}rem` };
}
