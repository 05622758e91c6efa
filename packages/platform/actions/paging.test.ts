// Pages of rows that are at hand: by number and by bytes, and nothing is lost between them.
import { pageBytesMax } from '@powernode/core/limits/requests';
import { expect, test } from 'vitest';
import { pageOf } from './paging.ts';

function pagesOf(rows: readonly { readonly n: number }[], limit: number): number[][] {
  const pages: number[][] = [];
  let cursor: string | null = null;
  do {
    const found: ReturnType<typeof pageOf<{ readonly n: number }>> = pageOf(rows, {
      limit,
      ...(cursor === null ? {} : { cursor }),
    });
    expect(found.answer.count).toBe(found.rows.length);
    expect(found.answer.has_more).toBe(found.answer.next_cursor !== null);
    pages.push(found.rows.map(({ n }) => n));
    cursor = found.answer.next_cursor;
  } while (cursor !== null);
  return pages;
}

test('a small catalogue of long rows is answered in pages of limited bytes [9.6]', () => {
  const text = 'x'.repeat(pageBytesMax / 4);
  const rows = Array.from({ length: 10 }, (_, n) => ({ n, text }));
  expect(pagesOf(rows, 50)).toEqual([[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]);
});

test('one row that is longer than a page is a page [9.6]', () => {
  const text = 'x'.repeat(pageBytesMax * 2);
  expect(pagesOf([{ n: 0 }, { n: 1, text }, { n: 2 }] as { n: number }[], 50)).toEqual([[0], [1], [2]]);
});

test('short rows are as many as were asked for', () => {
  const rows = Array.from({ length: 5 }, (_, n) => ({ n }));
  expect(pagesOf(rows, 2)).toEqual([[0, 1], [2, 3], [4]]);
});
