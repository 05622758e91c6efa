// How many rows of a noun's table are of one network.
import { sql } from 'kysely';
import type { InNetwork, NounTable } from '../context.ts';

/** All rows of the table, called so in plans. */
export function rowsInNetwork(table: NounTable, called: string): InNetwork {
  return {
    called,
    async count({ trx }, networkId) {
      const { rows } = await sql<{ count: number }>`
        select count(*)::integer as count from ${sql.table(table)} where network_id = ${networkId}
      `.execute(trx);
      return rows[0]?.count ?? 0;
    },
  };
}
