// Sums of what machines count. Each counter fits into a number, and their sum may not, because a machine may say what it
// likes: then the largest number is the answer, and not an error for whoever asked.
import { countMax } from '@powernode/core/limits/texts';
import { type RawBuilder, sql } from 'kysely';

/** `column` is the name of a bigint column; null where there are no rows. */
export function sumOf(column: string): RawBuilder<number | null> {
  const sum = sql`sum(${sql.ref(column)})`;
  return sql<
    number | null
  >`(case when ${sum} > ${sql.lit(countMax)} then ${sql.lit(countMax)} else ${sum} end)::bigint`;
}
