// What tables do with their rows.
import { describe, expect, it } from 'vitest';
import { type Column, facetChoices, filterRows, freshTable, gridOf, pressSort, sortRows } from './columns.ts';

interface Host {
  readonly name: string;
  readonly bytes: number | null;
  readonly role: string;
}

const hosts: Host[] = [
  { name: 'edge10', bytes: 5, role: 'spoke' },
  { name: 'edge2', bytes: null, role: 'spoke' },
  { name: 'Hub1', bytes: 70, role: 'hub' },
];
const columns: Column<Host>[] = [
  { id: 'name', header: 'Name', text: (h) => h.name, width: [8, 2] },
  { id: 'bytes', header: 'Bytes', text: (h) => String(h.bytes), sort: (h) => h.bytes, width: [4.5, 1] },
  { id: 'role', header: 'Role', text: (h) => h.role, width: [5, 1] },
];
const facets = [{ id: 'role', any: 'Any role', of: (h: Host) => h.role }];
const names = (rows: readonly Host[]) => rows.map((h) => h.name);
const filtered = (state: Partial<typeof freshTable>) =>
  names(filterRows(hosts, { columns, facets, state: { ...freshTable, ...state } }));
const sorted = (sortBy: string, descending = false) =>
  names(sortRows(hosts, { columns, state: { ...freshTable, sortBy, descending } }));

describe('the filter', () => {
  it('finds every word in any column, in any case', () => {
    expect(filtered({ filter: ' SPOKE edge1 ' })).toEqual(['edge10']);
    expect(filtered({ filter: 'nothing' })).toEqual([]);
  });

  it('leaves rows of a chosen value only', () => {
    expect(filtered({ facets: { role: 'hub' } })).toEqual(['Hub1']);
    expect(filtered({ facets: { role: 'hub' }, filter: 'edge' })).toEqual([]);
    expect(filtered({ facets: { role: '' } })).toHaveLength(3);
  });

  it('gives the same rows when it asks nothing, so that nothing is drawn anew', () => {
    expect(filterRows(hosts, { columns, facets, state: freshTable })).toBe(hosts);
  });
});

describe('sorting', () => {
  it('reads numbers in names and does not mind case', () => {
    expect(sorted('name')).toEqual(['edge2', 'edge10', 'Hub1']);
    expect(sorted('name', true)).toEqual(['Hub1', 'edge10', 'edge2']);
  });

  it('has what is unknown last, either way', () => {
    expect(sorted('bytes')).toEqual(['edge10', 'Hub1', 'edge2']);
    expect(sorted('bytes', true)).toEqual(['Hub1', 'edge10', 'edge2']);
  });

  it('by a column that is not there keeps the order of the list', () => {
    expect(sortRows(hosts, { columns, state: { ...freshTable, sortBy: 'gone' } })).toBe(hosts);
  });

  it('goes up, down and away with each press', () => {
    const up = pressSort(freshTable, 'name');
    const down = pressSort(up, 'name');
    expect(
      [up, down, pressSort(down, 'name'), pressSort(down, 'role')].map((s) => [s.sortBy, s.descending]),
    ).toEqual([
      ['name', false],
      ['name', true],
      [null, false],
      ['role', false],
    ]);
  });
});

describe('the choices of a facet', () => {
  it('are what there is, the most first', () => {
    expect(facetChoices(hosts, facets[0] as never)).toEqual([
      { value: 'spoke', text: 'spoke', count: 2 },
      { value: 'hub', text: 'hub', count: 1 },
    ]);
  });

  it('are those that it names, also when no row has one', () => {
    const facet = {
      id: 'role',
      any: '',
      of: (h: Host) => h.role,
      choices: [{ value: 'witness', text: 'Witness' }],
    };
    expect(facetChoices(hosts, facet)).toEqual([{ value: 'witness', text: 'Witness', count: 0 }]);
  });
});

it('lays columns out with their smallest widths', () => {
  expect(gridOf(columns as never)).toEqual({
    template: 'minmax(8rem, 2fr) minmax(4.5rem, 1fr) minmax(5rem, 1fr)',
    width: '18.5rem',
  });
});
