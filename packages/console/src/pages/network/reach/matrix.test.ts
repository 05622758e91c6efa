// How the answer of the platform becomes rows and columns.
import { describe, expect, it } from 'vitest';
import { type MatrixAnswer, shownOf } from './matrix.ts';

const matrix: MatrixAnswer = {
  network_id: 'n',
  protocol: 'tcp',
  port: 443,
  nodes: [
    { kind: 'peer', id: '1', name: 'hub1' },
    { kind: 'peer', id: '2', name: 'edge1' },
    { kind: 'virtual_ip', id: '3', name: 'web' },
  ],
  rows: [
    { id: '1', verdicts: '-da' },
    { id: '2', verdicts: 'a-n' },
  ],
  truncated: false,
};

describe('a matrix', () => {
  it('has a verdict for each pair, and none for itself', () => {
    const { columns, rows, counts } = shownOf(matrix, '');
    expect(columns.map(({ name }) => name)).toEqual(['edge1', 'hub1', 'web']);
    expect(rows.map(({ node, cells }) => [node.name, ...cells])).toEqual([
      ['edge1', null, 'allowed', 'no_route'],
      ['hub1', 'denied', null, 'allowed'],
    ]);
    expect(counts).toEqual({ allowed: 2, denied: 1, no_route: 1, unreachable: 0 });
  });

  it('tells what is allowed and does not arrive now from what is allowed [9.14]', () => {
    const rows = [
      { id: '1', verdicts: '-ua' },
      { id: '2', verdicts: 'u-n' },
    ];
    const { rows: shown, counts } = shownOf({ ...matrix, rows }, '');
    expect(shown.map(({ cells }) => cells[0] ?? cells[1])).toEqual(['unreachable', 'unreachable']);
    expect(counts).toEqual({ allowed: 1, denied: 0, no_route: 1, unreachable: 2 });
  });

  it('is filtered on both sides', () => {
    const { columns, rows } = shownOf(matrix, 'EDGE');
    expect(columns.map(({ name }) => name)).toEqual(['edge1']);
    expect(rows).toEqual([{ node: matrix.nodes[1], cells: [null] }]);
  });
});
