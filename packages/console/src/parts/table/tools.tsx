// Above a table: the filter, the choices, the order (where there is no head to press), the columns, the count.
import type { ReactNode } from 'react';
import { Button } from '../button.tsx';
import { Icon } from '../icon.tsx';
import { Menu, MenuCheck } from '../menu.tsx';
import { type Column, type Facet, facetChoices, type TableState } from './columns.ts';

export interface TableToolsProps<Row> {
  readonly what: string;
  readonly rows: readonly Row[];
  readonly shown: readonly Row[];
  readonly facets: readonly Facet<Row>[];
  readonly state: TableState;
  readonly setState: (next: TableState) => void;
  readonly columns: readonly Column<Row>[];
  readonly chosen: ReadonlySet<string>;
  readonly setChosen: (next: Set<string>) => void;
  readonly loading: boolean;
  readonly extra: ReactNode;
}

export function TableTools<Row>(props: TableToolsProps<Row>) {
  const { what, facets, state, setState, columns, chosen } = props;
  return (
    <div className="table-tools" role="search" aria-label={what}>
      <div className="filter">
        <Icon name="filter" />
        <input
          className="input"
          type="text"
          data-filter=""
          aria-label={`Filter ${what}`}
          placeholder={`Filter ${what}`}
          autoComplete="off"
          spellCheck={false}
          value={state.filter}
          onChange={(event) => setState({ ...state, filter: event.target.value })}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setState({ ...state, filter: '' });
          }}
        />
        <kbd aria-hidden="true">/</kbd>
      </div>
      {facets.map((facet) => (
        <FacetChoice key={facet.id} facet={facet} rows={props.rows} state={state} setState={setState} />
      ))}
      {props.extra}
      <SortChoice columns={columns} state={state} setState={setState} />
      <Menu
        label="Columns"
        trigger={
          <Button icon="columns" variant="quiet" aria-label="Choose columns">
            <span className="nowrap">Columns</span>
          </Button>
        }
      >
        {columns
          .filter((column) => column.unsortable !== true)
          .map((column) => (
            <MenuCheck
              key={column.id}
              checked={chosen.has(column.id)}
              onChange={() => props.setChosen(toggled(chosen, column.id))}
            >
              {column.header}
            </MenuCheck>
          ))}
      </Menu>
      <span className="table-count num" role="status">
        {countText(props)}
      </span>
    </div>
  );
}

function countText<Row>({ rows, shown, what, loading }: TableToolsProps<Row>): string {
  const all = rows.length.toLocaleString('en-US');
  const some =
    shown.length === rows.length ? `${all} ${what}` : `${shown.length.toLocaleString('en-US')} of ${all}`;
  return loading ? `${some}, loading more…` : some;
}

/** At least one column stays. */
function toggled(chosen: ReadonlySet<string>, id: string): Set<string> {
  const next = new Set(chosen);
  if (!next.delete(id)) next.add(id);
  return next.size === 0 ? new Set(chosen) : next;
}

interface ChoiceProps {
  readonly state: TableState;
  readonly setState: (next: TableState) => void;
}

function FacetChoice<Row>({
  facet,
  rows,
  state,
  setState,
}: ChoiceProps & { readonly facet: Facet<Row>; readonly rows: readonly Row[] }) {
  const choices = facetChoices(rows, facet);
  return (
    <select
      className="input facet"
      aria-label={facet.any}
      value={state.facets[facet.id] ?? ''}
      onChange={(event) =>
        setState({ ...state, facets: { ...state.facets, [facet.id]: event.target.value } })
      }
    >
      <option value="">{facet.any}</option>
      {choices.map(({ value, text, count }) => (
        <option key={value} value={value}>
          {text} ({count.toLocaleString('en-US')})
        </option>
      ))}
    </select>
  );
}

function SortChoice<Row>({
  columns,
  state,
  setState,
}: ChoiceProps & { readonly columns: readonly Column<Row>[] }) {
  const choices = columns
    .filter((column) => column.unsortable !== true)
    .flatMap((column) => [
      { key: `${column.id} up`, text: `${column.header} ↑`, sortBy: column.id, descending: false },
      { key: `${column.id} down`, text: `${column.header} ↓`, sortBy: column.id, descending: true },
    ]);
  const value = state.sortBy === null ? '' : `${state.sortBy} ${state.descending ? 'down' : 'up'}`;
  return (
    <select
      className="input facet sort-choice"
      aria-label="Order"
      value={value}
      onChange={(event) => {
        const choice = choices.find(({ key }) => key === event.target.value);
        setState({ ...state, sortBy: choice?.sortBy ?? null, descending: choice?.descending ?? false });
      }}
    >
      <option value="">Default order</option>
      {choices.map(({ key, text }) => (
        <option key={key} value={key}>
          {text}
        </option>
      ))}
    </select>
  );
}
