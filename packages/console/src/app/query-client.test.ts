// Which answers are too much to be read again with every event.
import type { Query } from '@tanstack/react-query';
import { expect, it } from 'vitest';
import { isLong } from './query-client.ts';

const nodes = (count: number) => Array.from({ length: count }, () => ({}));

it.each<[string, unknown, boolean]>([
  ['nothing yet', undefined, false],
  ['a list of one page', { pages: [{}] }, false],
  ['a list of two pages', { pages: [{}, {}] }, true],
  ['a small topology', { topology: { nodes: nodes(300) } }, false],
  ['a large topology', { topology: { nodes: nodes(301) } }, true],
  ['a matrix, which grows with the square', { matrix: { nodes: nodes(101) } }, true],
  ['an audit of a page of rules', { findings: [], rules_count: 500 }, false],
  ['an audit of more rules', { findings: [], rules_count: 501 }, true],
])('%s', (_what, data, long) => {
  expect(isLong({ state: { data } } as unknown as Query)).toBe(long);
});
