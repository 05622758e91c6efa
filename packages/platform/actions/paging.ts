// Pages of a list, behind a cursor that callers cannot read meaning into: by id in the database, by place in memory.

import { ProductError } from '@powernode/core/errors';
import { idShape } from '@powernode/core/ids';
import { pageBytesMax } from '@powernode/core/limits/requests';
import { revisionMax } from '@powernode/core/limits/texts';
import type { SelectQueryBuilder } from 'kysely';
import type { Database } from '../store/tables.ts';

export interface PageInput {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Page<Row> {
  readonly rows: Row[];
  readonly hasMore: boolean;
}

/** What a list answers beside its rows. */
export interface PageAnswer {
  readonly count: number;
  readonly has_more: boolean;
  readonly next_cursor: string | null;
}

function encodeCursor(id: string): string {
  return Buffer.from(`1:${id}`).toString('base64url');
}

function decodeCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const id = text.slice(2);
  if (text.startsWith('1:') && idShape.test(id)) return id;
  throw wrongCursor();
}

function wrongCursor(): ProductError {
  return new ProductError(
    'validation_failed',
    'The cursor does not belong to this list. Start without a cursor.',
    {
      fields: [
        {
          path: 'cursor',
          code: 'invalid_cursor',
          message: 'must be a next_cursor returned by the same list',
        },
      ],
    },
  );
}

/** A page of rows that are all at hand, in an order of their own. */
export function pageOf<Row>(
  all: readonly Row[],
  input: PageInput,
): { readonly rows: readonly Row[]; readonly answer: PageAnswer } {
  const from = input.cursor === undefined ? 0 : decodeOffset(input.cursor, all.length);
  const rows = fittingRows(all.slice(from, from + input.limit));
  const end = from + rows.length;
  const hasMore = end < all.length;
  const next = hasMore ? Buffer.from(`p:${end}`).toString('base64url') : null;
  return { rows, answer: { count: rows.length, has_more: hasMore, next_cursor: next } };
}

function decodeOffset(cursor: string, length: number): number {
  const match = /^p:(\d{1,6})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  const offset = Number(match?.[1]);
  if (match !== null && offset <= length) return offset;
  throw wrongCursor();
}

type Query<DB, TB extends keyof DB, O> = SelectQueryBuilder<DB, TB, O>;

/** Runs a query page by page, by the column given (ids of version 7, so in order of creation). */
export async function page<TB extends keyof Database, O extends { id: string }>(
  query: Query<Database, TB, O>,
  input: PageInput,
  order: { readonly by: string; readonly direction: 'asc' | 'desc' },
): Promise<Page<O>> {
  // The column's name is checked by the database; the types of joined tables are not worth carrying through here.
  let ordered = query as unknown as Query<Database, 'accounts', O>;
  if (input.cursor !== undefined) {
    const after = decodeCursor(input.cursor);
    ordered = ordered.where(order.by as 'accounts.id', order.direction === 'asc' ? '>' : '<', after);
  }
  const rows = await ordered
    .orderBy(order.by as 'accounts.id', order.direction)
    .limit(input.limit + 1)
    .execute();
  const fitting = fittingRows(rows.slice(0, input.limit));
  return { rows: fitting, hasMore: rows.length > fitting.length };
}

/** The first rows, one at least, that are no larger together than a page may be. */
function fittingRows<Row>(rows: Row[]): Row[] {
  let bytes = 0;
  const end = rows.findIndex((row, i) => {
    bytes += JSON.stringify(row).length;
    return bytes > pageBytesMax && i > 0;
  });
  return end === -1 ? rows : rows.slice(0, end);
}

export function pageAnswer(found: Page<{ readonly id: string }>): PageAnswer {
  const last = found.rows.at(-1);
  return {
    count: found.rows.length,
    has_more: found.hasMore,
    next_cursor: found.hasMore && last !== undefined ? encodeCursor(last.id) : null,
  };
}

/** Rows of a list by number are those below the answer. */
export function numberOfCursor({ cursor }: Pick<PageInput, 'cursor'>): number {
  if (cursor === undefined) return revisionMax;
  const match = /^n:(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (match === null) throw wrongCursor();
  return Number(match[1]);
}

/** A page of rows that have a number each, the highest first, of which one more than the limit was read. */
export function numberedPage<Row extends { readonly sequence: number }>(
  read: readonly Row[],
  limit: number,
): { readonly rows: readonly Row[]; readonly answer: PageAnswer } {
  const rows = fittingRows(read.slice(0, limit));
  const last = rows.at(-1);
  const hasMore = read.length > rows.length;
  const next = hasMore && last !== undefined ? Buffer.from(`n:${last.sequence}`).toString('base64url') : null;
  return { rows, answer: { count: rows.length, has_more: hasMore, next_cursor: next } };
}
