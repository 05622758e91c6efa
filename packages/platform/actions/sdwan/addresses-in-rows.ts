// The addresses of objects that have them in columns of their rows.
import { type RawBuilder, sql } from 'kysely';
import type { AddressQuery, NounTable } from '../context.ts';

export function addressesInRows(of: {
  readonly table: NounTable;
  /** The column of the IPv6 address. That of the IPv4 address is the same in every table. */
  readonly ipv6: 'host_address' | 'address';
  /** Of a row `had`: what to call it. */
  readonly called: RawBuilder<unknown>;
  /** Of a row `had`; left out: all rows. */
  readonly onlyIf?: RawBuilder<unknown>;
}): AddressQuery {
  const { table, ipv6, called, onlyIf = sql`true` } = of;
  return ({ networkId, family }) => {
    const column = sql.ref(family === 4 ? 'had.ipv4_address' : `had.${ipv6}`);
    return sql`
      select asked.address, ${called} as owner from asked join ${sql.table(table)} had
        on had.network_id = ${networkId} and ${column} = asked.address and ${onlyIf}`;
  };
}
