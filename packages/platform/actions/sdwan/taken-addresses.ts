// Which addresses of a network cannot be given: something has them, or they rest.
import { addressQuarantineMs } from '@powernode/core/limits/overlay';
import { familyOf } from '@powernode/core/net/address';
import { sql } from 'kysely';
import type { ActionContext } from '../context.ts';

/** Why an address cannot be given: what to call the object that has it; null: it rests. */
type Owner = string | null;

/** Those among the addresses, which are of one family. */
export async function takenAddresses(
  context: ActionContext,
  of: {
    readonly networkId: string;
    readonly addresses: readonly string[];
    /** One that a virtual IP had counts as free. */
    readonly exceptOfVirtualIps?: boolean;
  },
): Promise<ReadonlyMap<string, Owner>> {
  const { networkId, addresses, exceptOfVirtualIps = false } = of;
  const [first] = addresses;
  if (first === undefined) return new Map();
  const asked = { networkId, family: familyOf(first) };
  const restSince = new Date(context.now.getTime() - addressQuarantineMs);
  const resting = sql`
    select asked.address, null as owner from asked join address_quarantine had
      on had.network_id = ${networkId} and had.host_address = asked.address and had.released_at >= ${restSince}
        and not (had.of_virtual_ip and ${exceptOfVirtualIps})`;
  const had = context.services.nouns.flatMap((noun) => noun.addresses?.(asked) ?? []);
  const { rows } = await sql<{ readonly address: string; readonly owner: Owner }>`
    with asked as materialized (select unnest(${addresses}::text[]) as address)
    ${sql.join([resting, ...had], sql` union all `)}
  `.execute(context.trx);
  return new Map(rows.map(({ address, owner }) => [address, owner]));
}
